"""Artifacts through a real channel, on a real database and real files."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from acontext.disk import v1 as pb
from acontext_server.kit.ids import ProjectId
from tests.disk.client import DiskClient, form, kept, refusal

LARGE = bytes(range(256)) * 20_000
NOBODYS = str(uuid4())


def meta_of(artifact: pb.Artifact) -> dict[str, Any]:
    return MessageToDict(artifact.meta)


def struct(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


async def names(disk: DiskClient, rpc: str, request: object) -> list[str]:
    found = await disk.call(rpc, request)
    return [artifact.path + artifact.filename for artifact in found.items]


async def test_an_upload_is_listed_got_and_downloaded(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    text = "# To do\n\n- größe\n"
    body = form(
        ('name="file_path"', b"/todo/"),
        ('name="file"; filename="todo.md"', text.encode()),
        ('name="meta"', b'{"by": "agent", "n": [1, null]}'),
    )
    artifact = await disk.post(disk_id, body)
    info = {"path": "/todo/", "filename": "todo.md", "mime": "text/markdown; charset=utf-8"}
    assert meta_of(artifact) == {
        "__artifact_info__": info | {"size": len(text.encode())},
        "by": "agent",
        "n": [1, None],
    }
    listed = await disk.call("ListArtifacts", pb.ListArtifactsRequest(disk_id=disk_id, path="todo"))
    assert list(listed.artifacts) == [artifact]
    got = await disk.get(disk_id, "/todo/todo.md")
    assert got.artifact == artifact
    assert (got.content.type, got.content.raw) == ("text", text)
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="todo/todo.md")
    data, mime, headers = await disk.download("DownloadArtifact", request)
    assert (data, mime) == (text.encode(), "text/markdown; charset=utf-8")
    assert headers["x-acontext-content-length"] == str(len(data))
    assert headers["content-disposition"] == "inline; filename*=UTF-8''todo.md"


async def test_a_public_url_opens_until_it_expires(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.html", b"<html>hello</html>")
    got = await disk.get(disk_id, "/a.html", expire=60)
    base, _, token = got.public_url.partition("/blobs/")
    assert base == disk.platform.settings.base_url
    data, mime, headers = await disk.download("GetBlob", pb.GetBlobRequest(token=token))
    assert (data, mime) == (b"<html>hello</html>", "text/html; charset=utf-8")
    assert headers["content-security-policy"] == "sandbox"
    await disk.call("DeleteArtifact", pb.DeleteArtifactRequest(disk_id=disk_id, file_path="a.html"))
    for gone in (token, token[:-1], "nonsense", "ü"):
        call = disk.download("GetBlob", pb.GetBlobRequest(token=gone))
        assert (await refusal(call))[:2] == ("NOT_FOUND", "BLOB_NOT_FOUND")


async def test_get_answers_what_was_asked_for(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.txt", b"")
    bare = await disk.get(disk_id, "/a.txt", with_public_url=False, with_content=False)
    assert not bare.HasField("public_url")
    assert not bare.HasField("content")
    full = await disk.get(disk_id, "/a.txt")
    assert full.HasField("public_url")
    assert full.HasField("content")
    assert full.content.raw == ""


@pytest.mark.parametrize(
    ("name", "data", "kind", "raw"),
    [
        ("a.json", b'{"a": 1}', "json", '{"a": 1}'),
        ("a.json", b"{", None, None),
        ("a.csv", b"a,b\n1,2", "csv", "a,b\n1,2"),
        ("a.py", b"print()\n", "code", "print()\n"),
        ("a.txt", b"a\xff\x00b", "text", "a\ufffd\0b"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None, None),
    ],
)
async def test_text_is_handed_out_exactly(
    disk: DiskClient, name: str, data: bytes, kind: str | None, raw: str | None
) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, name, data)
    got = await disk.get(disk_id, name)
    content = (got.content.type, got.content.raw) if got.HasField("content") else (None, None)
    assert content == (kind, raw)


async def test_a_second_upload_replaces_bytes_and_keeps_what_it_does_not_say(
    disk: DiskClient, tmp_path: Path
) -> None:
    disk_id = await disk.new_disk()
    first = await disk.upload(disk_id, "/a.txt", b"one", meta=struct(by="me"))
    second = await disk.upload(disk_id, "/a.txt", b"other")
    assert meta_of(second)["by"] == "me"
    assert meta_of(second)["__artifact_info__"]["size"] == 5
    assert second.created_at == first.created_at
    assert second.updated_at.ToDatetime() > first.updated_at.ToDatetime()
    third = await disk.upload(disk_id, "/a.txt", b"other", meta=struct())
    assert "by" not in meta_of(third)
    sha256 = hashlib.sha256(b"other").hexdigest()
    assert kept(tmp_path) == [f"{disk.project_id}/disk/{sha256}"]


async def test_equal_bytes_are_kept_once_and_as_long_as_one_needs_them(
    disk: DiskClient, tmp_path: Path
) -> None:
    disk_id = await disk.new_disk()
    for name in ("a", "b"):
        await disk.upload(disk_id, name, LARGE)
    assert len(kept(tmp_path)) == 1
    await disk.call("DeleteArtifact", pb.DeleteArtifactRequest(disk_id=disk_id, file_path="a"))
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="b")
    assert (await disk.download("DownloadArtifact", request))[0] == LARGE
    await disk.call("DeleteArtifact", pb.DeleteArtifactRequest(disk_id=disk_id, file_path="b"))
    assert kept(tmp_path) == []


async def test_uploads_and_deletions_of_the_same_bytes_at_once_lose_nothing(
    disk: DiskClient, tmp_path: Path
) -> None:
    disk_id = await disk.new_disk()

    async def come_and_go(name: str) -> None:
        for _ in range(8):
            await disk.upload(disk_id, name, b"the same bytes")
            request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path=name)
            data, _, _ = await disk.download("DownloadArtifact", request)
            assert data == b"the same bytes"
            gone = pb.DeleteArtifactRequest(disk_id=disk_id, file_path=name)
            await disk.call("DeleteArtifact", gone)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(come_and_go(f"{number}.txt"))
    await disk.upload(disk_id, "last", b"the same bytes")
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="last")
    assert (await disk.download("DownloadArtifact", request))[0] == b"the same bytes"
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("byte_range", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=5000000-", 5_000_000, None), ("bytes=-5", -5, None)],
)
async def test_a_range_is_partial_content(
    disk: DiskClient, byte_range: str, first: int, last: int | None
) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.bin", LARGE)
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="a.bin")
    data, _, headers = await disk.download("DownloadArtifact", request, byte_range=byte_range)
    assert data == LARGE[first : None if last is None else last + 1]
    assert headers["x-acontext-status"] == "206"
    assert headers["content-range"].endswith(f"/{len(LARGE)}")
    assert headers["x-acontext-content-length"] == str(len(data))


async def test_head_gets_the_length_without_the_bytes(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.bin", LARGE)
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="a.bin")
    head = [*disk.metadata, ("x-envoy-original-method", "HEAD")]
    sent = disk.stub.DownloadArtifact(request, metadata=head)
    assert b"".join([piece.content.data async for piece in sent]) == b""
    headers = await sent.initial_metadata()
    assert headers["x-acontext-content-length"] == str(len(LARGE))


async def test_a_native_caller_names_its_range_in_the_request(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.bin", LARGE)
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="a.bin", offset=7, length=3)
    data, _, headers = await disk.download("DownloadArtifact", request, byte_range="bytes=0-0")
    assert data == LARGE[7:10]
    assert "x-acontext-status" not in headers


@pytest.mark.parametrize("offset", [5.0, 1e300, float("inf")])
async def test_a_range_beyond_the_end_is_refused(disk: DiskClient, offset: float) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a", b"12345")
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="a", offset=offset)
    code, reason, _ = await refusal(disk.download("DownloadArtifact", request))
    assert (code, reason) == ("OUT_OF_RANGE", "RANGE_NOT_SATISFIABLE")


async def test_an_empty_file_downloads_with_its_type(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/empty.md", b"")
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="empty.md")
    data, mime, headers = await disk.download("DownloadArtifact", request)
    assert (data, mime) == (b"", "text/markdown; charset=utf-8")
    assert headers["x-acontext-content-length"] == "0"


async def test_a_directory_lists_its_files_and_its_children(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    for name in ("/b.txt", "/a.txt", "/x/1", "/x/y/z/2", "/x%/3", "/Ä/4", "/x_/y/5"):
        await disk.upload(disk_id, name, b"")
    expected = {
        None: (["a.txt", "b.txt"], ["x", "x%", "x_", "Ä"]),
        "/": (["a.txt", "b.txt"], ["x", "x%", "x_", "Ä"]),
        "x": (["1"], ["y"]),
        "/x/y": ([], ["z"]),
        "/x_": ([], ["y"]),
        "/x%": (["3"], []),
        "/nothing": ([], []),
    }
    for path, (files, directories) in expected.items():
        request = pb.ListArtifactsRequest(disk_id=disk_id, path=path)
        listed = await disk.call("ListArtifacts", request)
        found = [artifact.filename for artifact in listed.artifacts], list(listed.directories)
        assert found == (files, directories), path


async def test_meta_is_replaced_whole(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    before = await disk.upload(disk_id, "/a.txt", b"x", meta=struct(old=1))
    request = pb.UpdateArtifactRequest(
        disk_id=disk_id, file_path="/a.txt", meta='{"new": {"deep": "\\u0000"}}'
    )
    after = (await disk.call("UpdateArtifact", request)).artifact
    assert meta_of(after) == {
        "new": {"deep": "\0"},
        "__artifact_info__": meta_of(before)["__artifact_info__"],
    }
    assert after.updated_at.ToDatetime() > before.updated_at.ToDatetime()
    assert (await disk.get(disk_id, "a.txt")).artifact == after


async def test_grep_searches_what_has_content(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/b/notes.md", b"one\nError: 42\n")
    await disk.upload(disk_id, "/a/main.py", b"raise Error(7)")
    await disk.upload(disk_id, "/a/nul.txt", b"\0Error: 1")
    await disk.upload(disk_id, "/a/picture.png", b"\x89PNG\r\n\x1a\n\0Error: 1")
    await disk.upload(disk_id, "/a/broken.json", b"Error: 1")

    async def grep(query: str, limit: int = 0) -> list[str]:
        request = pb.GrepArtifactsRequest(disk_id=disk_id, query=query, limit=limit)
        return await names(disk, "GrepArtifacts", request)

    everywhere = ["/a/main.py", "/a/nul.txt", "/b/notes.md"]
    assert await grep("Error") == everywhere
    assert await grep("Error", limit=2) == everywhere[:2]
    assert await grep(r"Error: \d+$") == ["/a/nul.txt"]
    assert await grep("error") == []
    assert await grep("(?i)error") == everywhere
    assert await grep("^one") == ["/b/notes.md"]
    assert await grep("%") == []


@pytest.mark.parametrize(
    "query",
    ["(", "[a", "a{2,1}", "a\0", "*", "(?<=a)b" + "(" * 5000, "x" * 9000],
)
async def test_what_is_no_regular_expression_is_refused(disk: DiskClient, query: str) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.txt", b"text")
    request = pb.GrepArtifactsRequest(disk_id=disk_id, query=query)
    code, reason, message = await refusal(disk.call("GrepArtifacts", request))
    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_PATTERN")
    assert message.startswith("query: ")


async def test_an_expression_that_takes_too_long_is_refused(
    disk: DiskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acontext_server.disk.app.artifacts.GREP_SECONDS", 0.2)
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.txt", b"ab" * 1000 + b"c")
    query = r"^(.*)(.*)(.*)\1\2\3c*$"
    request = pb.GrepArtifactsRequest(disk_id=disk_id, query=query)
    code, reason, message = await refusal(disk.call("GrepArtifacts", request))
    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_PATTERN")
    assert "0.2 seconds" in message


async def test_glob_matches_whole_paths(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    for name in ("/docs/a.md", "/docs/deep/b.md", "/c.md", "/docs/d[1].txt", "/100%_.txt"):
        await disk.upload(disk_id, name, b"")

    async def glob(query: str, limit: int = 0) -> list[str]:
        request = pb.GlobArtifactsRequest(disk_id=disk_id, query=query, limit=limit)
        return await names(disk, "GlobArtifacts", request)

    markdown = ["/c.md", "/docs/a.md", "/docs/deep/b.md"]
    assert await glob("*.md") == markdown
    assert await glob("/**.md") == markdown
    assert await glob("**/*.md") == markdown
    assert await glob("*.md", limit=1) == markdown[:1]
    assert await glob("docs/*.md") == markdown[1:]
    assert await glob("/docs/?.md") == ["/docs/a.md"]
    assert await glob("docs/?.md") == ["/docs/a.md"]
    assert await glob("docs/a.md") == ["/docs/a.md"]
    assert await glob("a.md") == []
    assert await glob("*[1]*") == ["/docs/d[1].txt"]
    assert await glob("100%_.txt") == ["/100%_.txt"]
    assert await glob("100?_.*") == ["/100%_.txt"]
    assert await glob("*\\*") == []


UPLOADS = [
    (form(('name="file_path"', b"/")), "INVALID_UPLOAD", "file: is required"),
    (form(('name="file"', b"text")), "INVALID_UPLOAD", "file: is required"),
    (b"no form", "INVALID_UPLOAD", "body: broken multipart body"),
    (form(('name="file"; filename=""', b"x")), "INVALID_PATH", "file_path: must end in a file"),
    (form(('name="file"; filename=".."', b"x")), "INVALID_PATH", "file_path: must not"),
    (
        form(('name="file_path"', b"/a/../b/"), ('name="file"; filename="x"', b"")),
        "INVALID_PATH",
        "file_path: must not contain `..`",
    ),
    (
        form(('name="file_path"', b"/a\0b/"), ('name="file"; filename="x"', b"")),
        "INVALID_PATH",
        "file_path: must not contain NUL",
    ),
    (
        form(('name="meta"', b"[]"), ('name="file"; filename="x"', b"")),
        "INVALID_META",
        "meta: must be a JSON object",
    ),
    (
        form(('name="meta"', b'{"__artifact_info__":1}'), ('name="file"; filename="x"', b"")),
        "INVALID_META",
        "meta: the key __artifact_info__ is reserved",
    ),
]


@pytest.mark.parametrize(("body", "reason", "message"), UPLOADS)
async def test_a_form_that_breaks_a_rule_is_refused(
    disk: DiskClient, body: bytes, reason: str, message: str, tmp_path: Path
) -> None:
    disk_id = await disk.new_disk()
    refused = await refusal(disk.post(disk_id, body))
    assert refused[:2] == ("INVALID_ARGUMENT", reason)
    assert refused[2].startswith(message)
    assert kept(tmp_path) == []


async def test_a_form_without_a_good_disk_is_refused(disk: DiskClient) -> None:
    body = form(('name="file"; filename="x"', b"x"))
    assert (await refusal(disk.post(NOBODYS, body)))[:2] == ("NOT_FOUND", "DISK_NOT_FOUND")
    code, reason, message = await refusal(disk.post("nonsense", body))
    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert message == "disk_id: must be a UUID"
    disk_id = await disk.new_disk()
    refused = await refusal(disk.post(disk_id, body, content_type="application/json"))
    assert refused[:2] == ("INVALID_ARGUMENT", "INVALID_UPLOAD")


async def test_a_form_may_have_a_file_of_16_mib_and_no_more(
    disk: DiskClient, tmp_path: Path
) -> None:
    disk_id = await disk.new_disk()
    largest = form(('name="file"; filename="x.txt"', b"x" * 16_777_216))
    artifact = await disk.post(disk_id, largest)
    assert meta_of(artifact)["__artifact_info__"]["size"] == 16_777_216
    too_large = form(('name="file"; filename="x"', b"y" * 16_777_217))
    assert (await refusal(disk.post(disk_id, too_large)))[:2] == ("RESOURCE_EXHAUSTED", "TOO_LARGE")
    assert len(kept(tmp_path)) == 1


async def test_a_stream_has_a_largest_size_of_its_own(disk: DiskClient, tmp_path: Path) -> None:
    disk_id = await disk.new_disk()
    await let_artifacts_be_larger(disk)
    artifact = await disk.upload(disk_id, "/a.txt", b"x" * 20_000_000, piece=1_000_000)
    assert meta_of(artifact)["__artifact_info__"]["mime"] == "text/plain; charset=utf-8"
    assert not (await disk.get(disk_id, "/a.txt")).HasField("content")
    call = disk.upload(disk_id, "/b.txt", b"x" * 20_000_001, piece=1_000_000)
    assert (await refusal(call))[:2] == ("RESOURCE_EXHAUSTED", "TOO_LARGE")
    assert len(kept(tmp_path)) == 1


async def test_a_form_that_asks_is_as_large_as_a_stream(disk: DiskClient, tmp_path: Path) -> None:
    disk_id = await disk.new_disk()
    await let_artifacts_be_larger(disk)
    largest = form(('name="file"; filename="x.txt"', b"x" * 20_000_000))
    artifact = await disk.post(disk_id, largest, any_size=True)
    assert meta_of(artifact)["__artifact_info__"]["size"] == 20_000_000
    too_large = form(('name="file"; filename="x"', b"y" * 20_000_001))
    call = disk.post(disk_id, too_large, any_size=True)
    assert (await refusal(call))[:2] == ("RESOURCE_EXHAUSTED", "TOO_LARGE")
    assert len(kept(tmp_path)) == 1


async def let_artifacts_be_larger(disk: DiskClient) -> None:
    await disk.platform.stop("disk")
    disk.platform.settings.max_artifact_bytes = 20_000_000
    await disk.platform.start("disk")


async def test_a_stream_begins_with_a_head_and_has_only_one(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    head = pb.UploadArtifactRequest(head=pb.UploadHead(disk_id=disk_id, file_path="/a"))
    chunk = pb.UploadArtifactRequest(chunk=b"x")
    for pieces in ([], [chunk], [pb.UploadArtifactRequest()], [head, chunk, head]):
        code, reason, _ = await refusal(disk.call("UploadArtifact", iter(pieces)))
        assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_UPLOAD")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (pb.UploadHead(disk_id="x", file_path="/a"), "INVALID_REQUEST"),
        (pb.UploadHead(disk_id=NOBODYS, file_path="/a"), "DISK_NOT_FOUND"),
        (pb.UploadHead(file_path="/a/"), "INVALID_PATH"),
        (pb.UploadHead(file_path="/a", meta=struct(x=float("inf"))), "INVALID_META"),
        (pb.UploadHead(file_path="/a", meta=struct(__artifact_info__={})), "INVALID_META"),
    ],
)
async def test_a_head_that_breaks_a_rule_is_refused(
    disk: DiskClient, head: pb.UploadHead, reason: str
) -> None:
    head.disk_id = head.disk_id or await disk.new_disk()
    pieces = iter([pb.UploadArtifactRequest(head=head)])
    assert (await refusal(disk.call("UploadArtifact", pieces)))[1] == reason


async def test_what_is_not_there_is_not_found(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a", b"x")
    stranger = DiskClient(disk.platform, ProjectId(uuid4()))
    requests: dict[str, Any] = {
        "GetArtifact": pb.GetArtifactRequest,
        "UpdateArtifact": lambda **at: pb.UpdateArtifactRequest(meta="{}", **at),
        "DeleteArtifact": pb.DeleteArtifactRequest,
    }
    for rpc, request in requests.items():
        there: Any = request(disk_id=disk_id, file_path="/a")
        assert (await refusal(stranger.call(rpc, there)))[1] == "DISK_NOT_FOUND"
        nowhere: Any = request(disk_id=NOBODYS, file_path="/a")
        assert (await refusal(disk.call(rpc, nowhere)))[:2] == ("NOT_FOUND", "DISK_NOT_FOUND")
        missing: Any = request(disk_id=disk_id, file_path="/b")
        assert (await refusal(disk.call(rpc, missing)))[:2] == ("NOT_FOUND", "ARTIFACT_NOT_FOUND")
    searches: dict[str, Any] = {
        "ListArtifacts": pb.ListArtifactsRequest(disk_id=disk_id),
        "GrepArtifacts": pb.GrepArtifactsRequest(disk_id=disk_id, query="x"),
        "GlobArtifacts": pb.GlobArtifactsRequest(disk_id=disk_id, query="x"),
    }
    for rpc, search in searches.items():
        assert (await refusal(stranger.call(rpc, search)))[1] == "DISK_NOT_FOUND"
    assert (await disk.get(disk_id, "/a")).artifact.filename == "a"


async def test_bad_words_in_requests_are_refused(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    requests: list[tuple[str, Any]] = [
        ("GetArtifact", pb.GetArtifactRequest(disk_id="x", file_path="/a")),
        ("GetArtifact", pb.GetArtifactRequest(disk_id=disk_id)),
        ("GetArtifact", pb.GetArtifactRequest(disk_id=disk_id, file_path="/a", expire=0)),
        ("GetArtifact", pb.GetArtifactRequest(disk_id=disk_id, file_path="/a", expire=604_801)),
        ("GetArtifact", pb.GetArtifactRequest(disk_id=disk_id, file_path="/a/../b")),
        ("ListArtifacts", pb.ListArtifactsRequest(disk_id=disk_id, path="/a/..")),
        ("ListArtifacts", pb.ListArtifactsRequest(disk_id=disk_id, path="/\0")),
        ("GrepArtifacts", pb.GrepArtifactsRequest(disk_id=disk_id)),
        ("GrepArtifacts", pb.GrepArtifactsRequest(disk_id=disk_id, query="a", limit=1001)),
        ("GlobArtifacts", pb.GlobArtifactsRequest(disk_id=disk_id, query="\0")),
        ("UpdateArtifact", pb.UpdateArtifactRequest(disk_id=disk_id, file_path="/a", meta="[")),
        ("UpdateArtifact", pb.UpdateArtifactRequest(disk_id=disk_id, file_path="/a")),
    ]
    for rpc, request in requests:
        assert (await refusal(disk.call(rpc, request)))[0] == "INVALID_ARGUMENT", request


async def test_a_cancelled_upload_leaves_nothing_behind(disk: DiskClient, tmp_path: Path) -> None:
    disk_id = await disk.new_disk()
    head = pb.UploadHead(disk_id=disk_id, file_path="/a")
    call = disk.stub.UploadArtifact(metadata=disk.metadata)
    await call.write(pb.UploadArtifactRequest(head=head))
    for _ in range(3):
        await call.write(pb.UploadArtifactRequest(chunk=b"x" * 1_000_000))
    call.cancel()
    with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
        await call
    for _ in range(500):  # the server hears of it in its own time
        if kept(tmp_path) == []:
            break
        await asyncio.sleep(0.02)
    assert kept(tmp_path) == []
    assert (await refusal(disk.get(disk_id, "/a")))[1] == "ARTIFACT_NOT_FOUND"


async def test_a_cancelled_upload_never_counts_as_a_whole_one(disk: DiskClient) -> None:
    # grpc tells a stream that its caller cancelled and one that he ended alike, about as often
    # as not; it cancels the RPC then, before the next thing that it waits for has come.
    disk_id = await disk.new_disk()
    whole = await disk.upload(disk_id, "/a", b"whole")
    for _ in range(40):
        call = disk.stub.UploadArtifact(metadata=disk.metadata)
        head = pb.UploadHead(disk_id=disk_id, file_path="/a")
        await call.write(pb.UploadArtifactRequest(head=head))
        await call.write(pb.UploadArtifactRequest(chunk=b"half"))
        await asyncio.sleep(0.01)
        call.cancel()
    await asyncio.sleep(0.5)
    assert (await disk.get(disk_id, "/a")).artifact == whole
