import type { PlatformStatus, RoleStatus } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import type { WireHandler } from '../../wire/index.ts'
import { isHealthy, type RoleState, type SupervisorState } from './state.ts'

/** The state as others see it. */
export function toStatus(
  state: SupervisorState,
  platform: { version: string; startedAtMs: number; urls: { watch: string; console: string } },
): PlatformStatus {
  const toRole = (role: RoleState): RoleStatus => ({
    name: role.name,
    role: role.role,
    state: role.phase === 'waiting' ? 'starting' : role.phase,
    pid: role.pid,
    restarts: role.restarts,
    sinceMs: Math.round(performance.timeOrigin + role.sinceMs),
    detail: role.detail,
  })
  return {
    healthy: isHealthy(state),
    version: platform.version,
    startedAtMs: platform.startedAtMs,
    watchUrl: platform.urls.watch,
    consoleUrl: platform.urls.console,
    roles: state.roles.map(toRole),
  }
}

/** The supervisor's socket: `status` answers once, `watch` pushes the status now and on every change. */
export function serveStatus(source: {
  status(): PlatformStatus
  onChange(listener: () => void): () => void
}): WireHandler {
  const bytes = (): Uint8Array => Buffer.from(JSON.stringify(source.status()))
  return async (payload, call) => {
    const what = Buffer.from(payload).toString()
    if (what === 'status') return bytes()
    if (what !== 'watch')
      throw new Fault('unknown-call', `expected "status" or "watch", got ${JSON.stringify(what.slice(0, 40))}`)
    // Changes made while the watcher is busy are one change to it: it always gets the latest.
    let wake = Promise.withResolvers<void>()
    const stop = source.onChange(() => wake.resolve())
    call.signal.addEventListener('abort', () => wake.resolve())
    try {
      while (!call.signal.aborted) {
        wake = Promise.withResolvers<void>()
        await call.push(bytes())
        await wake.promise
      }
    } finally {
      stop()
    }
    return bytes()
  }
}
