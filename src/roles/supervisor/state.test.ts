import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import {
  createState,
  decide,
  isHealthy,
  type RoleState,
  START_ATTEMPTS_MAX,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
} from './state.ts'

const ROLES = [
  { name: 'store', role: 'store' },
  { name: 'cell-a', role: 'cell' },
  { name: 'control', role: 'control' },
  { name: 'worker-0', role: 'worker' },
  { name: 'edge', role: 'edge' },
] as const

/** A supervisor without a machine below it: feeds events in, remembers what it wanted done. */
function simulate() {
  let nowMs = 0
  let state = createState(ROLES, nowMs)
  let effects: SupervisorEffect[] = []
  const feed = (event: SupervisorEvent): void => {
    const decision = decide(state, event, nowMs, DEFAULT_LIMITS)
    state = decision.state
    effects.push(...decision.effects)
  }
  const role = (name: string): RoleState => {
    const found = state.roles.find((candidate) => candidate.name === name)
    if (!found) throw new Error(`no role ${name}`)
    return found
  }
  const machine = {
    state: (): SupervisorState => state,
    role,
    now: () => nowMs,
    feed,
    take(): SupervisorEffect[] {
      const taken = effects
      effects = []
      return taken
    },
    /** Tick by tick; `answering` roles answer their pings. */
    pass(ms: number, answering: (name: string) => boolean = () => true): SupervisorEffect[] {
      const seen: SupervisorEffect[] = []
      for (let passed = 0; passed < ms; passed += 20) {
        nowMs += 20
        feed({ type: 'tick' })
        for (const effect of machine.take()) {
          seen.push(effect)
          if (effect.type === 'ping' && answering(effect.name)) machine.pong(effect.name)
        }
      }
      return seen
    },
    pong: (name: string, faults: readonly string[] = []) =>
      feed({ type: 'pong', name, generation: role(name).generation, faults }),
    ready: (name: string, faults: readonly string[] = []) =>
      feed({ type: 'ready', name, generation: role(name).generation, port: name === 'edge' ? 8080 : null, faults }),
    exit: (name: string, jitter = 1) =>
      feed({ type: 'exited', name, generation: role(name).generation, how: 'it was ended by SIGKILL', jitter }),
    startAll() {
      feed({ type: 'tick' })
      for (const { name } of ROLES) machine.ready(name)
      machine.take()
    },
  }
  return machine
}

const namesOf = (effects: readonly SupervisorEffect[], type: SupervisorEffect['type']): string[] =>
  effects.flatMap((effect) => (effect.type === type && 'name' in effect ? [effect.name] : []))

describe('starting', () => {
  test('the store first, then what needs it, the edge last', () => {
    const machine = simulate()
    machine.feed({ type: 'tick' })
    expect(namesOf(machine.take(), 'spawn')).toEqual(['store'])
    machine.ready('store')
    expect(namesOf(machine.take(), 'spawn')).toEqual(['cell-a', 'control', 'worker-0'])
    machine.ready('cell-a')
    machine.ready('control')
    expect(namesOf(machine.take(), 'spawn')).toEqual([])
    machine.ready('worker-0')
    expect(namesOf(machine.take(), 'spawn')).toEqual(['edge'])
    expect(isHealthy(machine.state())).toBe(false)
    machine.ready('edge')
    expect(isHealthy(machine.state())).toBe(true)
  })

  test('a role that is ready but has complaints is not healthy until they are gone', () => {
    const machine = simulate()
    machine.startAll()
    machine.pong('cell-a', ['the catalogue is 3 s behind'])
    expect(machine.role('cell-a')).toMatchObject({ phase: 'unhealthy', detail: 'the catalogue is 3 s behind' })
    expect(isHealthy(machine.state())).toBe(false)
    machine.pong('cell-a')
    expect(machine.role('cell-a')).toMatchObject({ phase: 'healthy', detail: null })
  })

  test('a role that never gets ready ends the start, with its last words', () => {
    const machine = simulate()
    machine.feed({ type: 'tick' })
    for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
      expect(machine.state().mode).toBe('running')
      const { generation } = machine.role('store')
      machine.feed({ type: 'failed', name: 'store', generation, code: 'log-damaged', message: 'segment 3 is damaged' })
      machine.exit('store')
      machine.pass(20_000)
    }
    expect(machine.state()).toMatchObject({ mode: 'finished' })
    expect(machine.state().failure).toContain('segment 3 is damaged')
  })

  test('an address in use is not tried again', () => {
    const machine = simulate()
    machine.feed({ type: 'tick' })
    machine.ready('store')
    const { generation } = machine.role('control')
    const message = 'port 8081 is in use'
    machine.feed({ type: 'failed', name: 'control', generation, code: 'address-in-use', message })
    expect(machine.state()).toMatchObject({ mode: 'draining', failure: 'control: port 8081 is in use' })
  })
})

describe('keeping running', () => {
  test('a dead role is back within a second, and its port is the one it had', () => {
    const machine = simulate()
    machine.startAll()
    machine.exit('edge')
    expect(machine.role('edge').phase).toBe('backoff')
    const spawned = machine.pass(200).find((effect) => effect.type === 'spawn')
    expect(spawned).toEqual({ type: 'spawn', name: 'edge', generation: 2, port: 8080 })
    expect(machine.role('edge').restarts).toBe(1)
  })

  test('one that keeps dying waits longer each time, within bounds', () => {
    const machine = simulate()
    machine.startAll()
    const waits: number[] = []
    for (let death = 0; death < 10; death++) {
      machine.exit('worker-0')
      const diedAt = machine.now()
      while (machine.role('worker-0').phase === 'backoff') machine.pass(20)
      waits.push(machine.now() - diedAt)
      machine.ready('worker-0')
    }
    expect(waits[0]).toBeLessThanOrEqual(DEFAULT_LIMITS.restartBackoffMinMs + 20)
    expect(waits[3]).toBeGreaterThan((waits[0] ?? 0) * 4)
    expect(Math.max(...waits)).toBeLessThanOrEqual(DEFAULT_LIMITS.restartBackoffMaxMs + 20)
  })

  test('half a healthy minute and it starts from the beginning', () => {
    const machine = simulate()
    machine.startAll()
    for (let death = 0; death < 6; death++) {
      machine.exit('worker-0')
      machine.pass(15_000)
      machine.ready('worker-0')
    }
    expect(machine.role('worker-0').failures).toBe(6)
    machine.pass(32_000)
    expect(machine.role('worker-0').failures).toBe(0)
  })

  test('jitter halves the wait at most', () => {
    const wait = (jitter: number): number => {
      const machine = simulate()
      machine.startAll()
      machine.exit('worker-0', jitter)
      return machine.role('worker-0').retryAtMs - machine.now()
    }
    expect([wait(0), wait(1)]).toEqual([DEFAULT_LIMITS.restartBackoffMinMs / 2, DEFAULT_LIMITS.restartBackoffMinMs])
  })

  test('silence is death: killed once after the timeout, and restarted when it is gone', () => {
    const machine = simulate()
    machine.startAll()
    const effects = machine.pass(DEFAULT_LIMITS.healthTimeoutMs + 1_500, (name) => name !== 'cell-a')
    expect(namesOf(effects, 'kill')).toEqual(['cell-a'])
    machine.exit('cell-a')
    expect(namesOf(machine.pass(200), 'spawn')).toEqual(['cell-a'])
  })

  test('when it was itself that stood still, nobody is killed for it', () => {
    const machine = simulate()
    machine.startAll()
    machine.pass(5_000)
    const late = machine.now() + 60_000
    const { effects } = decide(machine.state(), { type: 'tick' }, late, DEFAULT_LIMITS)
    expect(namesOf(effects, 'kill')).toEqual([])
  })

  test('what an earlier process of the role says counts for nothing', () => {
    const machine = simulate()
    machine.startAll()
    machine.exit('store')
    machine.pass(200)
    const before = machine.role('store')
    machine.feed({ type: 'exited', name: 'store', generation: 1, how: 'late', jitter: 0 })
    machine.feed({ type: 'ready', name: 'store', generation: 1, port: null, faults: [] })
    expect(machine.role('store')).toEqual(before)
  })
})

describe('stopping', () => {
  test('the edge first, the store last, each when the one before is gone', () => {
    const machine = simulate()
    machine.startAll()
    machine.feed({ type: 'drain' })
    expect(namesOf(machine.take(), 'drain')).toEqual(['edge'])
    machine.exit('edge')
    expect(namesOf(machine.take(), 'drain')).toEqual(['cell-a', 'control', 'worker-0'])
    for (const name of ['cell-a', 'control', 'worker-0']) machine.exit(name)
    expect(namesOf(machine.take(), 'drain')).toEqual(['store'])
    machine.exit('store')
    expect(machine.take()).toEqual([{ type: 'finish' }])
    expect(machine.state().mode).toBe('finished')
  })

  test('all within drainMs, whoever does not drain', () => {
    const machine = simulate()
    machine.startAll()
    machine.feed({ type: 'drain' })
    machine.take()
    const began = machine.now()
    const killed: string[] = []
    while (machine.state().mode !== 'finished') {
      for (const effect of machine.pass(20)) {
        if (effect.type !== 'kill') continue
        killed.push(effect.name)
        machine.exit(effect.name)
      }
      if (machine.now() - began > DEFAULT_LIMITS.drainMs) throw new Error('not finished within drainMs')
    }
    expect(killed).toEqual(['edge', 'cell-a', 'control', 'worker-0', 'store'])
  })

  test('one that dies before its turn is not started again', () => {
    const machine = simulate()
    machine.startAll()
    machine.feed({ type: 'drain' })
    machine.take()
    machine.exit('store')
    machine.pass(2_000)
    expect(machine.role('store').phase).toBe('stopped')
  })

  test('told to stop at once, it kills what there is', () => {
    const machine = simulate()
    machine.startAll()
    machine.exit('control')
    machine.feed({ type: 'drain' })
    machine.take()
    machine.feed({ type: 'kill' })
    expect(namesOf(machine.take(), 'kill')).toEqual(['store', 'cell-a', 'worker-0', 'edge'])
  })
})

test('whatever happens in whatever order: one process per role, and a stop ends', () => {
  const names = ROLES.map(({ name }) => name)
  const event = fc.oneof(
    fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 20, max: 12_000 }) }),
    fc.record({ kind: fc.constantFrom('ready', 'exit', 'complain', 'spawned'), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('drain') }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const machine = simulate()
      const alive = new Set<string>()
      const settle = (effects: readonly SupervisorEffect[]): void => {
        for (const effect of effects) {
          if (effect.type === 'spawn') {
            if (alive.has(effect.name)) throw new Error(`${effect.name} was started while it ran`)
            alive.add(effect.name)
          }
          if (effect.type === 'kill') exit(effect.name)
        }
      }
      const exit = (name: string): void => {
        if (!alive.delete(name)) return
        machine.exit(name)
        settle(machine.take())
      }
      const pass = (ms: number): void => {
        for (let passed = 0; passed < ms; passed += 20) settle(machine.pass(20))
      }
      machine.feed({ type: 'tick' })
      settle(machine.take())
      for (const happening of events) {
        if ('ms' in happening) pass(happening.ms)
        else if (!('name' in happening)) machine.feed({ type: 'drain' })
        else if (happening.kind === 'exit') exit(happening.name)
        else if (alive.has(happening.name)) {
          if (happening.kind === 'ready') machine.ready(happening.name)
          if (happening.kind === 'complain') machine.pong(happening.name, ['unwell'])
        }
        settle(machine.take())
      }
      machine.feed({ type: 'drain' })
      settle(machine.take())
      pass(DEFAULT_LIMITS.drainMs)
      expect(machine.state().mode).toBe('finished')
      expect([...alive]).toEqual([])
    }),
    { numRuns: 100 },
  )
})
