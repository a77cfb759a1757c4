import { connect } from 'node:net'
import { type RawMessage, takeMessage } from '../raw-message.ts'

/** An answer as it came, interim ones apart. */
export type Heard = {
  readonly status: number
  /** By lower-case name; several lines in their order. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  readonly body: string
  readonly interim: readonly number[]
}

const WAIT_MS = 4_000

/** Sends one request on a connection of its own and reads one final answer by RFC 9112, 6.3; rejects when none comes whole. */
export function exchange(port: number, method: string, text: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let all = ''
    const fail = (why: string): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Error(`expected a whole answer, ${why}, heard ${JSON.stringify(all.slice(0, 500))}`))
    }
    const timer = setTimeout(() => fail(`none within ${WAIT_MS} ms`), WAIT_MS)
    const look = (untilClose: boolean): boolean => {
      const heard = takeFinal(all, method, untilClose)
      if (!heard) return false
      clearTimeout(timer)
      socket.destroy()
      resolve(heard)
      return true
    }
    socket.on('connect', () => socket.write(text, 'latin1'))
    socket.on('data', (data) => {
      all += data.toString('latin1')
      look(false)
    })
    socket.on('error', (error) => fail(error.message))
    socket.on('end', () => look(true) || fail('the connection ended'))
  })
}

function takeFinal(all: string, method: string, untilClose: boolean): Heard | null {
  const interim: number[] = []
  for (let rest = all; ; ) {
    const message = takeMessage(rest, { hasContent: method !== 'HEAD', untilClose })
    if (!message) return null
    const status = Number(message.line.slice(9, 12))
    if (status >= 200) return { status, fields: toFields(message), body: message.body, interim }
    interim.push(status)
    rest = rest.slice(message.bytes)
  }
}

/** The fields of a message, lines of one name in their order. */
export function toFields({ head }: Pick<RawMessage, 'head'>): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const line of head.split('\r\n').slice(1)) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    fields.set(name, [...(fields.get(name) ?? []), line.slice(at + 1).trim()])
  }
  return fields
}
