/** Reads a stream of server-sent events (WHATWG HTML, section 9.2.6) piece by piece. */
export function createEventParser(
  onEvent: (event: { event: string; data: string; id: string }) => void,
): (text: string) => void {
  let rest = ''
  let event = ''
  let id = ''
  let data: string[] = []
  const dispatch = (): void => {
    if (data.length > 0) onEvent({ event: event || 'message', data: data.join('\n'), id })
    event = ''
    data = []
  }
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') dispatch()
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (name === 'event') event = value
      else if (name === 'data') data.push(value)
      else if (name === 'id') id = value
    }
  }
}
