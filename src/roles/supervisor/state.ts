import type { RoleStatus } from '../../contracts/index.ts'
import type { Limits } from '../../kernel/index.ts'
import type { RoleName } from '../context.ts'

/** A role that has been healthy this long starts its backoff from the beginning again. */
export const HEALTHY_RESET_MS = 30_000
/** A platform whose role has failed this often without ever being ready is not going to start. */
export const START_ATTEMPTS_MAX = 5
/** How often a role that is not healthy is asked: somebody is waiting for it. */
const IMPATIENT_MS = 200
/** Between two ticks of this process; longer, and it was not running itself. */
const STALL_MS = 1_000
/** The share of `drainMs` after which what is left of a stage is killed, per stage from the edge down to the store. */
const DRAIN_SHARES = { edge: 0.35, middle: 0.75, store: 0.95 } as const
/** Faults that a restart cannot mend. */
const HOPELESS: readonly string[] = ['address-in-use', 'config-invalid']

type Stage = keyof typeof DRAIN_SHARES
const START_ORDER: readonly Stage[] = ['store', 'middle', 'edge']
const DRAIN_ORDER: readonly Stage[] = ['edge', 'middle', 'store']

export type RoleState = {
  readonly name: string
  readonly role: RoleName
  readonly phase: RoleStatus['state'] | 'waiting'
  /** Which process of this role: 1 for the first. Events of an earlier one are ignored. */
  readonly generation: number
  readonly pid: number | null
  readonly port: number | null
  readonly everReady: boolean
  readonly restarts: number
  /** Exits in a row without a healthy half minute between. */
  readonly failures: number
  readonly sinceMs: number
  readonly heardMs: number
  readonly pingedMs: number
  readonly retryAtMs: number
  readonly detail: string | null
}

export type SupervisorState = {
  readonly mode: 'running' | 'draining' | 'finished'
  readonly drainingSinceMs: number
  readonly tickMs: number
  /** Why it gave up by itself; null when it runs or was asked to stop. */
  readonly failure: string | null
  readonly roles: readonly RoleState[]
}

export type SupervisorEvent =
  | { readonly type: 'tick' }
  | { readonly type: 'spawned'; readonly name: string; readonly generation: number; readonly pid: number }
  | {
      readonly type: 'ready'
      readonly name: string
      readonly generation: number
      readonly port: number | null
      readonly faults: readonly string[]
    }
  | {
      readonly type: 'pong'
      readonly name: string
      readonly generation: number
      /** Null while the role is starting. */
      readonly faults: readonly string[] | null
    }
  /** The role says why it will exit. */
  | {
      readonly type: 'failed'
      readonly name: string
      readonly generation: number
      readonly code: string
      readonly message: string
    }
  | {
      readonly type: 'exited'
      readonly name: string
      readonly generation: number
      readonly how: string
      /** 0 to 1, drawn by the caller. */
      readonly jitter: number
    }
  | { readonly type: 'drain' }
  | { readonly type: 'kill' }

export type SupervisorEffect =
  | { readonly type: 'spawn'; readonly name: string; readonly generation: number; readonly port: number | null }
  | { readonly type: 'ping'; readonly name: string }
  | { readonly type: 'drain'; readonly name: string }
  /** SIGKILL. */
  | { readonly type: 'kill'; readonly name: string; readonly why: string }
  | { readonly type: 'finish' }

export type SupervisorLimits = Pick<
  Limits,
  'drainMs' | 'healthPeriodMs' | 'healthTimeoutMs' | 'restartBackoffMinMs' | 'restartBackoffMaxMs'
>
export type Decision = { readonly state: SupervisorState; readonly effects: readonly SupervisorEffect[] }

/** All roles waiting for their turn. */
export function createState(
  roles: readonly { readonly name: string; readonly role: RoleName }[],
  nowMs: number,
): SupervisorState {
  const idle = {
    phase: 'waiting',
    generation: 0,
    pid: null,
    port: null,
    everReady: false,
    restarts: 0,
    failures: 0,
    sinceMs: nowMs,
    heardMs: nowMs,
    pingedMs: nowMs,
    retryAtMs: 0,
    detail: null,
  } as const
  const all = roles.map(({ name, role }) => ({ ...idle, name, role }))
  return { mode: 'running', drainingSinceMs: 0, tickMs: nowMs, failure: null, roles: all }
}

/** What follows from an event: the new state, and what the shell must do. Pure; `nowMs` is monotonic. */
export function decide(
  state: SupervisorState,
  event: SupervisorEvent,
  nowMs: number,
  limits: SupervisorLimits,
): Decision {
  const next = apply(state, event, nowMs, limits)
  const effects: SupervisorEffect[] = []
  const roles = next.roles.map((role) => step(next, role, nowMs, limits, effects))
  const after: SupervisorState = { ...next, roles }
  if (event.type === 'kill') {
    for (const role of roles)
      if (isAlive(role)) effects.push({ type: 'kill', name: role.name, why: 'told to stop at once' })
  }
  if (after.mode === 'draining' && roles.every((role) => role.phase === 'stopped')) {
    effects.push({ type: 'finish' })
    return { state: { ...after, mode: 'finished' }, effects }
  }
  return { state: after, effects }
}

/** Every role is up and has nothing to complain about. */
export function isHealthy(state: SupervisorState): boolean {
  return state.mode === 'running' && state.roles.every((role) => role.phase === 'healthy')
}

/** What the event itself changes. */
function apply(
  state: SupervisorState,
  event: SupervisorEvent,
  nowMs: number,
  limits: SupervisorLimits,
): SupervisorState {
  switch (event.type) {
    case 'tick':
      return forgiveOwnStall(state, nowMs)
    case 'drain':
    case 'kill':
      return beginDrain(state, nowMs, null)
    default: {
      const role = state.roles.find(({ name }) => name === event.name)
      if (!role || role.generation !== event.generation) return state
      const moved = onRole(role, event, nowMs, limits)
      const changed = state.mode === 'draining' && moved.phase === 'backoff' ? enter(moved, 'stopped', nowMs) : moved
      const replaced = { ...state, roles: state.roles.map((other) => (other === role ? changed : other)) }
      const hopeless = state.mode === 'running' ? whyHopeless(changed, event) : null
      return hopeless === null ? replaced : beginDrain(replaced, nowMs, hopeless)
    }
  }
}

/** When this process itself was held up, the roles' answers wait unread: their silence is not theirs. */
function forgiveOwnStall(state: SupervisorState, nowMs: number): SupervisorState {
  const lateMs = nowMs - state.tickMs - STALL_MS
  const roles = lateMs <= 0 ? state.roles : state.roles.map((role) => ({ ...role, heardMs: role.heardMs + lateMs }))
  return { ...state, tickMs: nowMs, roles }
}

type RoleEvent = Extract<SupervisorEvent, { name: string }>

function onRole(role: RoleState, event: RoleEvent, nowMs: number, limits: SupervisorLimits): RoleState {
  switch (event.type) {
    case 'spawned':
      return { ...role, pid: event.pid }
    case 'ready': {
      const ready = { ...role, heardMs: nowMs, everReady: true, port: event.port ?? role.port }
      return role.phase === 'draining' ? ready : judge(ready, event.faults, nowMs)
    }
    case 'failed':
      return { ...role, detail: event.message }
    case 'exited':
      return exited(role, event.how, event.jitter, nowMs, limits)
    case 'pong': {
      const isStable = role.phase === 'healthy' && nowMs - role.sinceMs >= HEALTHY_RESET_MS
      const heard = { ...role, heardMs: nowMs, failures: isStable ? 0 : role.failures }
      if (event.faults === null || (role.phase !== 'healthy' && role.phase !== 'unhealthy')) return heard
      return judge(heard, event.faults, nowMs)
    }
  }
}

function judge(role: RoleState, faults: readonly string[], nowMs: number): RoleState {
  const detail = faults.length === 0 ? null : faults.join('; ')
  return { ...enter(role, detail === null ? 'healthy' : 'unhealthy', nowMs), detail }
}

function exited(role: RoleState, how: string, jitter: number, nowMs: number, limits: SupervisorLimits): RoleState {
  if (role.phase === 'draining') return { ...enter(role, 'stopped', nowMs), pid: null, detail: null }
  const failures = role.failures + 1
  const ceiling = Math.min(limits.restartBackoffMaxMs, limits.restartBackoffMinMs * 2 ** (failures - 1))
  return {
    ...enter(role, 'backoff', nowMs),
    pid: null,
    failures,
    retryAtMs: nowMs + ceiling * (0.5 + jitter / 2),
    detail: role.phase === 'starting' && role.detail !== null ? role.detail : how,
  }
}

function whyHopeless(role: RoleState, event: RoleEvent): string | null {
  if (role.everReady) return null
  if (event.type === 'failed' && HOPELESS.includes(event.code)) return `${role.name}: ${event.message}`
  if (event.type === 'exited' && role.failures >= START_ATTEMPTS_MAX)
    return `${role.name} did not start in ${role.failures} attempts; the last said: ${role.detail}`
  return null
}

function beginDrain(state: SupervisorState, nowMs: number, failure: string | null): SupervisorState {
  if (state.mode !== 'running') return state
  const roles = state.roles.map((role) =>
    role.phase === 'waiting' || role.phase === 'backoff' ? enter(role, 'stopped', nowMs) : role,
  )
  return { ...state, mode: 'draining', drainingSinceMs: nowMs, failure, roles }
}

/** What is due for one role, whatever happened. */
function step(
  state: SupervisorState,
  role: RoleState,
  nowMs: number,
  limits: SupervisorLimits,
  effects: SupervisorEffect[],
): RoleState {
  if (state.mode === 'draining') return stepDraining(state, role, nowMs, limits, effects)
  if (state.mode !== 'running') return role
  if (role.phase === 'waiting') return isTurnToStart(state, role) ? spawn(role, nowMs, effects) : role
  if (role.phase === 'backoff') return nowMs >= role.retryAtMs ? spawn(role, nowMs, effects) : role
  if (role.phase !== 'starting' && role.phase !== 'healthy' && role.phase !== 'unhealthy') return role
  if (nowMs - role.heardMs >= limits.healthTimeoutMs) {
    const why = `it has not answered for ${limits.healthTimeoutMs} ms`
    effects.push({ type: 'kill', name: role.name, why })
    // Heard is moved on, so that a process slow to die is not killed again at every tick.
    return { ...enter(role, 'unhealthy', nowMs), heardMs: nowMs, detail: why }
  }
  const periodMs = role.phase === 'healthy' ? limits.healthPeriodMs : Math.min(limits.healthPeriodMs, IMPATIENT_MS)
  if (nowMs - role.pingedMs < periodMs) return role
  effects.push({ type: 'ping', name: role.name })
  return { ...role, pingedMs: nowMs }
}

function stepDraining(
  state: SupervisorState,
  role: RoleState,
  nowMs: number,
  limits: SupervisorLimits,
  effects: SupervisorEffect[],
): RoleState {
  if (role.phase === 'stopped') return role
  const stage = stageOf(role)
  if (role.phase !== 'draining') {
    const before = DRAIN_ORDER.slice(0, DRAIN_ORDER.indexOf(stage))
    const free = state.roles.every((other) => !before.includes(stageOf(other)) || other.phase === 'stopped')
    if (!free) return role
    effects.push({ type: 'drain', name: role.name })
    return { ...enter(role, 'draining', nowMs), detail: null }
  }
  if (role.detail === null && nowMs - state.drainingSinceMs >= limits.drainMs * DRAIN_SHARES[stage]) {
    effects.push({ type: 'kill', name: role.name, why: 'it did not drain in time' })
    return { ...role, detail: 'killed: it did not drain in time' }
  }
  return role
}

function isTurnToStart(state: SupervisorState, role: RoleState): boolean {
  const before = START_ORDER.slice(0, START_ORDER.indexOf(stageOf(role)))
  return state.roles.every((other) => !before.includes(stageOf(other)) || other.everReady)
}

function spawn(role: RoleState, nowMs: number, effects: SupervisorEffect[]): RoleState {
  const generation = role.generation + 1
  effects.push({ type: 'spawn', name: role.name, generation, port: role.port })
  const restarts = role.generation === 0 ? 0 : role.restarts + 1
  return { ...enter(role, 'starting', nowMs), generation, restarts, pid: null, heardMs: nowMs, pingedMs: nowMs }
}

function enter(role: RoleState, phase: RoleState['phase'], nowMs: number): RoleState {
  return role.phase === phase ? role : { ...role, phase, sinceMs: nowMs }
}

function stageOf(role: RoleState): Stage {
  return role.role === 'store' || role.role === 'edge' ? role.role : 'middle'
}

function isAlive(role: RoleState): boolean {
  return role.generation > 0 && role.phase !== 'stopped' && role.phase !== 'backoff'
}
