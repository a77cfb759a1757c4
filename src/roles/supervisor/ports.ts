import { Fault } from '../../kernel/index.ts'

/** Below the range the system hands out to outgoing connections, so that nobody takes it between our look and our use. */
const FREE_FROM = 20_000
const FREE_TO = 32_000
const ATTEMPTS_MAX = 200

/** A port to listen on: the wished one if it is free, any free one for 0. Fault `port-unavailable`. */
export async function pickPort(wished: number): Promise<number> {
  if (wished !== 0) {
    if (isFree(wished)) return wished
    throw new Fault(
      'port-unavailable',
      `port ${wished} is in use by another program; stop that one, or set TENTPOLE_PORT and TENTPOLE_CONSOLE_PORT (0 picks a free one)`,
    )
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = FREE_FROM + Math.floor(Math.random() * (FREE_TO - FREE_FROM))
    if (isFree(port)) return port
  }
  throw new Fault('port-unavailable', `no free port found between ${FREE_FROM} and ${FREE_TO}; set TENTPOLE_PORT`)
}

function isFree(port: number): boolean {
  try {
    const listener = Bun.listen({ hostname: '0.0.0.0', port, socket: { data() {} } })
    listener.stop(true)
    return true
  } catch {
    return false
  }
}
