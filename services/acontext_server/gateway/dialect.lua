-- The REST dialect: puts the envelope around what the transcoder made of an RPC's answer.
--
-- It splices bytes and never parses JSON. What it looks for holds unescaped quotes, which cannot
-- stand inside a JSON string, so text that a user wrote is never mistaken for it.
-- Two tables stand before this text, written by build.py. RPCS: path of an RPC -> its answer;
-- SWITCHES: names of boolean parameters.

local function replace(text, from, to)
  local start = text:find(from, 1, true)
  if start == nil then
    return text
  end
  local pieces, position = {}, 1
  while start do
    pieces[#pieces + 1] = text:sub(position, start - 1)
    pieces[#pieces + 1] = to
    position = start + #from
    start = text:find(from, position, true)
  end
  pieces[#pieces + 1] = text:sub(position)
  return table.concat(pieces)
end

local function without_empty(text, names)
  for _, name in ipairs(names) do
    local empty = '"' .. name .. '":[]'
    text = replace(text, "," .. empty, "")
    text = replace(text, empty .. ",", "")
    text = replace(text, empty, "")
  end
  return text
end

-- `{"session":{…}}` -> `{…}`. An unset message is not printed, and is null.
local function member_of(text, member)
  local head = '{"' .. member .. '":'
  if text:sub(1, #head) ~= head then
    return "null"
  end
  return text:sub(#head + 1, -2)
end

local function null_marks(text, marker)
  return replace(text, '"' .. marker .. '"', "null")
end

local function data_of(text, rpc, marker)
  if rpc.answer == "json" then
    return text
  end
  local data = rpc.member and member_of(text, rpc.member) or text
  data = without_empty(data, rpc.omitted)
  return null_marks(data, marker)
end

local function success(text, rpc, marker)
  if rpc.answer == "nothing" then
    return '{"code":0,"msg":""}'
  end
  return '{"code":0,"data":' .. data_of(text, rpc, marker) .. ',"msg":""}'
end

-- `{"code":5,"message":"…","details":[…]}` -> `{"code":404,"msg":"…","error":"…"}`.
local function failure(text, status)
  if text:find('^{"code":%d+,"msg":') then
    return text -- Envoy's own, from local_reply_config
  end
  local start = text:match('^{"code":%d+,"message":()"')
  local finish = text:find('","details":[', 1, true)
  if start == nil or finish == nil then
    return '{"code":' .. status .. ',"msg":"The service gave no readable answer."}'
  end
  local reason = text:match('google%.rpc%.ErrorInfo","reason":"([%w_]+)"', finish)
  local error = reason and ',"error":"' .. reason .. '"' or ""
  return '{"code":' .. status .. ',"msg":' .. text:sub(start, finish) .. error .. "}"
end

local GRPC_ONLY = { "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-accept-encoding" }

local function take(headers, name)
  local value = headers:get(name)
  headers:remove(name)
  return value
end

local function set_body(handle, text, head)
  handle:body(true):setBytes(head and "" or text)
  handle:headers():replace("content-length", tostring(#text))
  handle:headers():replace("content-type", "application/json")
end

local function text_of(handle)
  local body = handle:body(true)
  return body:length() > 0 and tostring(body:getBytes(0, body:length())) or ""
end

-- A service may choose the status of a success (201, 206) and of a failure (413, 416).
local function apply_status(headers)
  local ours, wanted = tonumber(headers:get(":status")), tonumber(take(headers, "x-acontext-status"))
  if wanted and (wanted >= 400) == (ours >= 400) then
    headers:replace(":status", tostring(wanted))
    return wanted
  end
  return ours
end

-- The transcoder writes whole messages, so no marker is cut in two by a piece's end.
local function fill_stream(handle, marker)
  for piece in handle:bodyChunks() do
    piece:setBytes(null_marks(tostring(piece:getBytes(0, piece:length())), marker))
  end
end

-- HEAD is answered as GET, less the body, which the codec would pass on. A stream that fails halfway
-- ends like any other. Only a closed connection tells the client that bytes are missing; else it
-- would wait for them.
local function send_file(handle, head)
  if not head then
    handle:streamInfo():drainConnectionUponCompletion()
    return
  end
  for piece in handle:bodyChunks() do
    piece:setBytes("")
  end
end

local function respond(handle, rpc, ours)
  local headers = handle:headers()
  local status, length = apply_status(headers), take(headers, "x-acontext-content-length")
  if status >= 400 then
    set_body(handle, failure(text_of(handle), status), ours.head)
  elseif rpc.answer ~= "raw" then
    set_body(handle, success(text_of(handle), rpc, ours.null))
  elseif rpc.nulls then
    fill_stream(handle, ours.null)
  elseif length then
    headers:replace("content-length", length)
    send_file(handle, ours.head)
  end
end

local LARGEST_BODY = 32 * 1024 * 1024

-- Multipart streams on; the service limits it. Anything else is taken whole before it is refused,
-- since clients like httpx see no answer before they have sent everything.
local function is_too_large(handle, content_type)
  local length = tonumber(handle:headers():get("content-length") or LARGEST_BODY + 1)
  if length <= LARGEST_BODY or content_type:find("^multipart/form%-data") then
    return false
  end
  local body = handle:body()
  return body ~= nil and body:length() > LARGEST_BODY
end

-- Protobuf also reads `yes`, `1` and `t`; the dialect does not.
local function unclear_switch(path)
  local query = path:match("%?(.*)") or ""
  for name, value in query:gmatch("([^&=]+)=?([^&]*)") do
    if SWITCHES[name] and value ~= "true" and value ~= "false" then
      return name
    end
  end
end

-- Native callers are left alone, and gRPC-Web, which its own filter has turned into gRPC by now.
function envoy_on_request(handle)
  local headers = handle:headers()
  local content_type = (headers:get("content-type") or ""):lower()
  if content_type:find("^application/grpc") then
    return
  end
  local unclear = unclear_switch(headers:get(":path"))
  if unclear then
    handle:respond({ [":status"] = "400" }, unclear .. " must be true or false.")
    return
  end
  -- Stands for null in the answer. It is new for each request, so nobody can have written it into
  -- what is stored; Envoy has removed what came from outside under these names.
  local marker = "null:" .. headers:get("x-request-id")
  headers:replace("x-acontext-null", marker)
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("acontext", "null", marker)
  metadata:set("acontext", "head", headers:get(":method") == "HEAD")
  -- The last step, since it may wait for the body: Envoy's objects from before are gone then.
  if is_too_large(handle, content_type) then
    handle:respond({ [":status"] = "413" }, "The request is larger than 32 MiB.")
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local rpc = RPCS[take(headers, "x-acontext-rpc")]
  local ours = handle:streamInfo():dynamicMetadata():get("acontext")
  if rpc and ours then
    for _, name in ipairs(GRPC_ONLY) do
      headers:remove(name)
    end
    respond(handle, rpc, ours)
  end
end
