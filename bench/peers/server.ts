import { toOriginPath } from '../edge-origin.ts'

/** A cache under measurement, in front of the same origin as the others, alone on its core. */
export type Peer = { readonly name: string; start(at: PeerPlace): Promise<Running> }
export type PeerPlace = {
  readonly port: number
  readonly originPort: number
  /** For its files; on memory where the machine has such a place. */
  readonly directory: string
  /** What it may keep. */
  readonly memoryMib: number
  /** For those that can be held to a memory only by a number of objects. */
  readonly objectsMax?: number
}
export type Running = {
  readonly name: string
  readonly port: number
  /** Of the process that was started; a server may have more of them below it. */
  readonly pid: number
  /** What a client asks for to get this path of the origin's. `viewer` tells apart whom it was signed for, where that is done. */
  address(path: string, viewer: number): string
  stop(): Promise<void>
}

/** Servers on the first core; origin and generator have the second to themselves. */
export const SERVER_CORE: readonly string[] = ['taskset', '-c', '0']
export const GENERATOR_CORE: readonly string[] = ['taskset', '-c', '1']
const ANSWER_WAIT_MS = 10_000
const READY_PATH = toOriginPath('films', 1, 'ready')

/** Starts a server and waits until it answers; its last words are in the error when it does not. */
export async function startServer(options: {
  readonly name: string
  readonly command: readonly string[]
  readonly port: number
  readonly address?: Running['address']
}): Promise<Running> {
  const { name, command, port, address = (path) => path } = options
  const child = Bun.spawn([...SERVER_CORE, ...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  const words = new Response(child.stderr).text()
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), 3_000)
    await child.exited
    clearTimeout(killer)
  }
  let last = 'nothing'
  const deadline = performance.now() + ANSWER_WAIT_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const response = await fetch(`http://127.0.0.1:${port}${address(READY_PATH, 0)}`).catch(() => null)
    last = response === null ? last : `${response.status} ${(await response.text()).slice(0, 200)}`
    if (response?.ok) return { name, port, pid: child.pid, address, stop }
    await Bun.sleep(50)
  }
  await stop()
  throw new Error(
    `${command.join(' ')} on port ${port}: expected a 200 within ${ANSWER_WAIT_MS} ms, got ${last}; it said: ${(await words).slice(-500)}`,
  )
}
