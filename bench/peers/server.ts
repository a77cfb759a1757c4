/** A cache under measurement, in front of the same origin as the others, alone on its core. */
export type Peer = { readonly name: string; start(at: PeerPlace): Promise<Running> }
export type PeerPlace = { readonly port: number; readonly originPort: number; readonly directory: string }
export type Running = { readonly port: number; stop(): Promise<void> }

/** Servers on the first core; origin and generator have the second to themselves. */
export const SERVER_CORE: readonly string[] = ['taskset', '-c', '0']
export const GENERATOR_CORE: readonly string[] = ['taskset', '-c', '1']
const ANSWER_WAIT_MS = 10_000

/** Starts a server and waits until it answers; its last words are in the error when it does not. */
export async function startServer(command: readonly string[], port: number): Promise<Running> {
  const child = Bun.spawn([...SERVER_CORE, ...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  const words = new Response(child.stderr).text()
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), 3_000)
    await child.exited
    clearTimeout(killer)
  }
  const deadline = performance.now() + ANSWER_WAIT_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null)
    if (response?.ok) {
      await response.bytes()
      return { port, stop }
    }
    await Bun.sleep(50)
  }
  await stop()
  throw new Error(`${command.join(' ')} did not answer on port ${port}: ${(await words).slice(-500)}`)
}
