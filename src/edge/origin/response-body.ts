import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Phases } from './phases.ts'

/**
 * A response's body, read only as it is asked for, so that a slow reader holds the origin back instead of filling
 * memory. It ends only if the message was complete by its framing (RFC 9112, 8): anything else is an error.
 */
export function toBodyStream(options: {
  readonly message: IncomingMessage
  readonly outgoing: ClientRequest
  readonly phases: Phases
  readonly idleMs: number
}): ReadableStream<Uint8Array> {
  const { message, outgoing, phases, idleMs } = options
  let isOver = false
  let wake = (): void => {}

  const finish = (act: () => void): void => {
    if (isOver) return
    isOver = true
    phases.end()
    act()
    wake()
  }
  const failWith = (controller: ReadableStreamDefaultController<Uint8Array>, error: Error): void =>
    finish(() => {
      const verdict = phases.verdict()
      const why = verdict?.why ?? `the origin's body was cut off: ${error.message}`
      controller.error(Object.assign(new Error(why, { cause: error }), { code: verdict?.code ?? 'origin-unreachable' }))
      outgoing.destroy()
    })

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        message.on('readable', () => wake())
        message.on('end', () => {
          // A body delimited by the connection's end looks complete after a reset, and after a cut of ours, too.
          if (message.complete && !phases.verdict()) finish(() => controller.close())
          else failWith(controller, new Error('it ended before its last byte'))
        })
        outgoing.on('error', (error) => failWith(controller, error))
        message.on('error', (error) => failWith(controller, error))
        message.on('close', () => failWith(controller, new Error('the connection was closed')))
      },
      async pull(controller) {
        while (!isOver) {
          const chunk: Uint8Array | null = message.read()
          if (chunk !== null) {
            phases.stop()
            controller.enqueue(chunk)
            return
          }
          phases.waitForBytes('waiting for more of the body', idleMs)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      },
      cancel() {
        finish(() => outgoing.destroy())
      },
    },
    { highWaterMark: 0 },
  )
}
