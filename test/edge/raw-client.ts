import { connect } from 'node:net'
import { type RawMessage, takeMessage } from './raw-message.ts'

export type Heard = {
  /** Final answers that came whole. */
  readonly answers: readonly RawMessage[]
  /** What came beside them. */
  readonly rest: string
  readonly all: string
  /** By the other side, and not by us for having heard enough. */
  readonly closed: boolean
}

const WAIT_MS = 3_000

/** Writes these bytes and hears until the connection is closed, or so many answers have come whole. */
export function send(
  port: number,
  text: string,
  answersMax: number = Number.POSITIVE_INFINITY,
  localAddress = '127.0.0.1',
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    let all = ''
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`expected ${answersMax} answers or an end within ${WAIT_MS} ms, heard ${JSON.stringify(all)}`))
    }, WAIT_MS)
    const settle = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...toAnswers(all, closed), all, closed })
    }
    socket.on('connect', () => socket.write(text, 'latin1'))
    socket.on('data', (data) => {
      all += data.toString('latin1')
      if (toAnswers(all, false).answers.length >= answersMax) settle(false)
    })
    socket.on('error', () => settle(true))
    socket.on('close', () => settle(true))
  })
}

/** A plain request of somebody who means no harm, on a connection of its own. */
export async function ask(
  port: number,
  path: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<RawMessage> {
  const lines = Object.entries({ host: 'edge.test', ...fields }).map(([name, value]) => `${name}: ${value}\r\n`)
  const { answers, all } = await send(port, `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 1)
  const [answer] = answers
  if (answer) return answer
  throw new Error(`expected an answer, heard ${JSON.stringify(all)}`)
}

export function statusOf(answer: RawMessage | undefined): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer?.line ?? '')?.[1])
}

function toAnswers(all: string, untilClose: boolean): { readonly answers: RawMessage[]; readonly rest: string } {
  const answers: RawMessage[] = []
  let rest = all
  for (;;) {
    const message = takeMessage(rest, { hasContent: true, untilClose })
    if (!message) return { answers, rest }
    rest = rest.slice(message.bytes)
    if (statusOf(message) >= 200) answers.push(message)
  }
}
