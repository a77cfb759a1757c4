import type { PlatformStatus } from '../../contracts/index.ts'
import { Fault, type Logger, pause } from '../../kernel/index.ts'
import type { Layout } from '../../roles/index.ts'
import type { LinkConditions } from './plan.ts'
import { createProcesses } from './processes.ts'
import { type ProxyProcess, startProxyProcess } from './proxy/process.ts'
import { victimsOf } from './roles.ts'

const HEALTHY_WAIT_MS = 60_000
const LOOK_MS = 50

/** The links of a platform that go through fault proxies. */
export type Links = {
  /**
   * Puts a proxy into each link. For viewers that is a port of its own, given back. For a role's socket, those who call it are killed, so
   * that they connect anew, and all roles are healthy again when this resolves. Faults: `link-unknown`, `platform-not-recovered`,
   * `socket-missing`, `proxy-not-listening`, `proxy-lost`; the reason of `signal` once that is aborted.
   */
  prepare(wheres: readonly string[], signal: AbortSignal): Promise<{ readonly watchUrl?: string }>
  /** What `faultId` does to a link, null when it ends. Where several faults meet, the one that came last counts. */
  setConditions(where: string, faultId: string, conditions: LinkConditions | null): Promise<void>
  close(): Promise<void>
}

export function createLinks(options: {
  readonly layout: Layout
  readonly status: () => Promise<PlatformStatus>
  readonly logger: Logger
}): Links {
  const { layout, status, logger } = options
  const faults = new Map<string, Map<string, LinkConditions>>()
  let proxies: ProxyProcess | null = null

  const proxyViewers = async (into: ProxyProcess): Promise<string> => {
    const url = new URL((await status()).watchUrl)
    // By number, since the name is also that of an address the edge does not listen on.
    const hostname = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname
    const target = { hostname, port: Number(url.port || 80) }
    const port = await into.listen('viewers', { hostname: '127.0.0.1', port: 0 }, target)
    return `${url.protocol}//127.0.0.1:${port}`
  }

  const takeOver = async (into: ProxyProcess, role: string): Promise<void> => {
    await into.takeOver(role, role === 'store' ? layout.storeSocket : layout.cellSocket(role.slice('cell-'.length)))
  }

  return {
    async prepare(wheres, signal) {
      const sockets = wheres.filter((where) => where !== 'viewers')
      checkKnown(sockets, await status())
      signal.throwIfAborted()
      proxies = await startProxyProcess()
      for (const role of sockets) await takeOver(proxies, role)
      signal.throwIfAborted()
      for (const callers of callersOf(sockets)) {
        logger.info(`restarting ${callers.join(', ')}: their connections go through the fault proxy from now on`)
        await restart({ callers, layout, status, signal })
      }
      return wheres.includes('viewers') ? { watchUrl: await proxyViewers(proxies) } : {}
    },
    async setConditions(where, faultId, conditions) {
      const here = faults.get(where) ?? new Map<string, LinkConditions>()
      faults.set(where, here)
      here.delete(faultId)
      if (conditions !== null) here.set(faultId, conditions)
      if (proxies === null) throw new Fault('link-unknown', `the link to ${where} was not prepared; call prepare first`)
      await proxies.setConditions(where, [...here.values()].at(-1) ?? {})
    },
    async close() {
      const last = proxies
      proxies = null
      await last?.close()
    },
  }
}

function checkKnown(sockets: readonly string[], status: PlatformStatus): void {
  const known = status.roles.filter(({ role }) => role === 'store' || role === 'cell').map(({ name }) => name)
  const unknown = sockets.find((where) => !known.includes(where))
  if (unknown === undefined) return
  throw new Fault(
    'link-unknown',
    `no link to ${unknown}; expected viewers, ${known.join(', ')}: name one of those in the scenario`,
  )
}

/**
 * Who calls these sockets, in the order in which they are to be restarted: the edge after the cells, so that it finds those sockets of
 * theirs that the proxy has taken over again.
 */
function callersOf(sockets: readonly string[]): string[][] {
  if (sockets.length === 0) return []
  return sockets.includes('store') ? [['cell-*', 'control', 'worker-*'], ['edge']] : [['edge']]
}

async function restart(options: {
  readonly callers: readonly string[]
  readonly layout: Layout
  readonly status: () => Promise<PlatformStatus>
  readonly signal: AbortSignal
}): Promise<void> {
  const { callers, layout, status, signal } = options
  const processes = createProcesses(layout.home)
  const { roles } = await status()
  const victims = callers.flatMap((pattern) => victimsOf(pattern, roles))
  const killed = new Set(victims.map(({ pid }) => pid))
  for (const victim of victims) processes.kill(victim)
  const deadlineMs = performance.now() + HEALTHY_WAIT_MS
  while (performance.now() < deadlineMs) {
    await pause(LOOK_MS, signal)
    signal.throwIfAborted()
    const now = await status()
    if (now.healthy && now.roles.every(({ pid }) => pid !== null && !killed.has(pid))) return
  }
  throw new Fault(
    'platform-not-recovered',
    `${callers.join(', ')} did not become healthy within ${HEALTHY_WAIT_MS} ms of a restart; see the platform's log for why`,
  )
}
