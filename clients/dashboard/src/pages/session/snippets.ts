// Programs that do what the page shows.

export function asCurl(apiUrl: string, sessionId: string): string {
  return `curl -s '${apiUrl}/api/v1/session/${sessionId}/messages?format=openai' \\
  -H "Authorization: Bearer $ACONTEXT_API_KEY"`;
}

export function asPython(apiUrl: string, sessionId: string): string {
  return `import os

from acontext import AcontextClient

client = AcontextClient(base_url="${apiUrl}/api/v1", api_key=os.environ["ACONTEXT_API_KEY"])
for message in client.sessions.get_messages("${sessionId}", format="openai").items:
    print(message)
for task in client.sessions.get_tasks("${sessionId}").items:
    print(task.order, task.status, task.data)
`;
}

export function storeByCurl(apiUrl: string, sessionId: string): string {
  return `curl -s '${apiUrl}/api/v1/session/${sessionId}/messages' \\
  -H "Authorization: Bearer $ACONTEXT_API_KEY" -H 'Content-Type: application/json' \\
  -d '{"format": "openai", "blob": {"role": "user", "content": "Hello!"}}'`;
}

export function createByCurl(apiUrl: string): string {
  return `curl -s -X POST '${apiUrl}/api/v1/session' \\
  -H "Authorization: Bearer $ACONTEXT_API_KEY"`;
}
