import { fileURLToPath } from 'node:url'
import { Fault } from '../../../kernel/index.ts'
import type { LinkConditions } from '../plan.ts'
import type { Address } from './address.ts'
import type { FromProxies, ToProxies } from './messages.ts'
import { restoreSocket } from './socket-place.ts'

const START_WAIT_MS = 15_000
const ANSWER_WAIT_MS = 5_000
const ERROR_CHARACTERS_MAX = 2_000

/** Fault proxies in a process of their own, by the name of their link. All reject with `proxy-lost` once that process is gone. */
export type ProxyProcess = {
  readonly pid: number
  /** Resolves to the port. */
  listen(link: string, listen: Address, target: Address): Promise<number>
  takeOver(link: string, path: string): Promise<void>
  setConditions(link: string, conditions: LinkConditions): Promise<void>
  /** Puts every socket back and ends the process; also after it was lost. */
  close(): Promise<void>
}

type Waiting = { resolve: (port: number) => void; reject: (error: unknown) => void }
/** A message without its number: of each kind for itself, since `Omit` of a union keeps only what all have. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

export async function startProxyProcess(): Promise<ProxyProcess> {
  const waiting = new Map<number, Waiting>()
  const taken = new Set<string>()
  const hello = Promise.withResolvers<void>()
  let lastId = 0
  let printed = ''

  const onMessage = (message: FromProxies): void => {
    if (message.type === 'hello') {
      hello.resolve()
      return
    }
    const waiter = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'done') waiter?.resolve(message.port)
    else waiter?.reject(new Fault(message.code, message.message))
  }
  const child = Bun.spawn([process.execPath, '--no-install', fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'] },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    detached: true,
    serialization: 'json',
    // Both ends are this program.
    ipc: (message) => onMessage(message as FromProxies),
  })
  // It must not keep a storm alive that has ended: it goes with it.
  child.unref()
  void (async () => {
    for await (const bytes of child.stderr)
      printed = (printed + Buffer.from(bytes).toString()).slice(-ERROR_CHARACTERS_MAX)
  })()
  const lost = (): Fault =>
    new Fault(
      'proxy-lost',
      `the process of the fault proxies (${child.pid}) is gone; expected it to live as long as the storm: repeat the run. It said: ${printed.trim() || 'nothing'}`,
    )
  void child.exited.then(() => {
    hello.reject(lost())
    for (const waiter of waiting.values()) waiter.reject(lost())
    waiting.clear()
  })

  const ask = async (message: Unnumbered<ToProxies>): Promise<number> => {
    if (child.exitCode !== null || child.signalCode !== null) throw lost()
    lastId += 1
    const id = lastId
    const answer = Promise.withResolvers<number>()
    waiting.set(id, answer)
    const timer = setTimeout(() => answer.reject(lost()), ANSWER_WAIT_MS)
    child.send({ ...message, id })
    return await answer.promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(id)
    })
  }

  const late = setTimeout(() => {
    child.kill('SIGKILL')
    hello.reject(new Fault('proxy-lost', `the fault proxies did not start within ${START_WAIT_MS} ms; repeat the run`))
  }, START_WAIT_MS)
  await hello.promise.finally(() => clearTimeout(late))
  return {
    pid: child.pid,
    listen: (link, listen, target) => ask({ type: 'listen', link, listen, target }),
    async takeOver(link, path) {
      taken.add(path)
      await ask({ type: 'take-over', link, path })
    },
    async setConditions(link, conditions) {
      await ask({ type: 'conditions', link, conditions })
    },
    async close() {
      await ask({ type: 'close' }).catch(() => {})
      child.kill('SIGKILL')
      await child.exited
      // Where the process could not do it itself; once done it does nothing.
      for (const path of taken) restoreSocket(path)
    },
  }
}
