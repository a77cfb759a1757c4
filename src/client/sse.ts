export type SseMessage = {
  readonly event: string
  readonly id: string
  readonly data: string
  /** It was too large to be kept: what is here is all but its data. */
  readonly isCut?: true
}

/** Of one message with everything in it; the hub's largest are a few MB. */
const MESSAGE_CHARACTERS_MAX = 16 * 1024 * 1024

/**
 * Server-sent events (HTML Living Standard, 9.2.6) out of bytes in pieces of any size. Feed it what came; it returns the messages
 * that are complete. Of one that grows beyond all bounds the data is not kept, and that is said.
 */
export function createSseParser(charactersMax: number = MESSAGE_CHARACTERS_MAX): {
  feed(bytes: Uint8Array): readonly SseMessage[]
} {
  // It takes the byte order mark off, as the standard asks.
  const decoder = new TextDecoder()
  let rest: string[] = []
  let restLength = 0
  let afterReturn = false
  let event = ''
  let id = ''
  let data: string[] = []
  let dataLength = 0
  let isCut = false

  const finish = (): SseMessage | null => {
    const named = { event: event || 'message', id }
    const whole = data.length > 0 ? { ...named, data: data.join('\n') } : null
    const message = isCut ? { ...named, data: '', isCut: true as const } : whole
    isCut = false
    event = ''
    data = []
    dataLength = 0
    return message
  }
  const takeField = (line: string): void => {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'data') {
      data.push(value)
      dataLength += value.length + 1
    }
  }
  const check = (moreLength = 0): void => {
    if (restLength + dataLength + moreLength <= charactersMax) return
    isCut = true
    data = []
    dataLength = 0
    // Of a line that was begun there stays that it was: a field that nobody knows.
    rest = restLength > 0 ? ['-'] : []
    restLength = rest.length
  }

  return {
    feed(bytes) {
      const messages: SseMessage[] = []
      let text = decoder.decode(bytes, { stream: true })
      // The second half of a line break that was cut in two.
      if (afterReturn && text !== '') {
        if (text.startsWith('\n')) text = text.slice(1)
        afterReturn = false
      }
      const lineBreak = /\r\n|\r|\n/g
      let from = 0
      for (let found = lineBreak.exec(text); found !== null; found = lineBreak.exec(text)) {
        const line = rest.join('') + text.slice(from, found.index)
        rest = []
        restLength = 0
        from = lineBreak.lastIndex
        if (found[0] === '\r' && from === text.length) afterReturn = true
        if (line === '') {
          const message = finish()
          if (message) messages.push(message)
        } else {
          check(line.length)
          if (!isCut) takeField(line)
        }
      }
      if (from < text.length) {
        rest.push(text.slice(from))
        restLength += text.length - from
        check()
      }
      return messages
    },
  }
}
