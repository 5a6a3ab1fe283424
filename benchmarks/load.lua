-- Sends one request after another, to each path in turn: wrk -s load.lua URL -- METHOD KEY BODY PATH...
-- and prints what came of it as a line of JSON.
local requests, turn = {}, 0

function init(args)
  local method, key, body = args[1], args[2], args[3]
  local headers = { authorization = "Bearer " .. key, ["content-type"] = "application/json" }
  if body == "" then body = nil end
  for i = 4, #args do
    requests[#requests + 1] = wrk.format(method, args[i], headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format(
    '{"answered": %d, "failed": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f}',
    summary.requests, failed, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
