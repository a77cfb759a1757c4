import { Fault } from '../kernel/index.ts'
import type { FaultPlan } from './faults/plan.ts'
import { checkRelations } from './relations.ts'
import type { Bounds, Objectives, Operation, Phase, PlatformNeeds, Population, Scenario, TitleLaw } from './scenario.ts'
import { SECTIONS, type Section } from './sections.ts'
import { DEFAULT_HABITS, type PlayerHabits, type ViewerHabits } from './viewer/habits.ts'

/** A scenario with everything optional that has a default (`STORM_DEFAULTS`). A whole `Scenario` is one, too. */
export type StormInput = {
  readonly name: string
  readonly baselinePerSecond: number
  readonly phases: readonly Phase[]
  readonly description?: string
  readonly populations?: readonly Population[]
  readonly titles?: Partial<TitleLaw>
  readonly habits?: Partial<Omit<ViewerHabits, 'player'>> & { readonly player?: Partial<PlayerHabits> }
  readonly faults?: readonly FaultPlan[]
  readonly operations?: readonly Operation[]
  /** Taken as they are: one left out is not judged. */
  readonly objectives?: Objectives
  readonly bounds?: Partial<Bounds>
  readonly platform?: Partial<PlatformNeeds>
}

/** On the default platform the Americas' viewers live in cell `a`, all others in cell `b`. */
export const DEFAULT_POPULATIONS: readonly Population[] = [
  { weight: 14, country: 'US', tier: 'standard', platform: 'tv', lineBps: 40_000_000 },
  { weight: 10, country: 'US', tier: 'premium', platform: 'web', lineBps: 20_000_000 },
  { weight: 10, country: 'US', tier: 'free', platform: 'ios', lineBps: 8_000_000 },
  { weight: 5, country: 'CA', tier: 'standard', platform: 'web', lineBps: 20_000_000 },
  { weight: 11, country: 'BR', tier: 'free', platform: 'android', lineBps: 4_000_000 },
  { weight: 12, country: 'DE', tier: 'standard', platform: 'tv', lineBps: 40_000_000 },
  { weight: 8, country: 'FR', tier: 'premium', platform: 'web', lineBps: 20_000_000 },
  { weight: 10, country: 'GB', tier: 'standard', platform: 'ios', lineBps: 8_000_000 },
  { weight: 8, country: 'JP', tier: 'premium', platform: 'tv', lineBps: 40_000_000 },
  { weight: 12, country: 'IN', tier: 'free', platform: 'android', lineBps: 4_000_000 },
]

export const STORM_DEFAULTS: Omit<Scenario, 'name' | 'baselinePerSecond' | 'phases'> = {
  description: '',
  populations: DEFAULT_POPULATIONS,
  titles: { premiereShare: 0.7, zipfExponent: 1 },
  habits: DEFAULT_HABITS,
  faults: [],
  operations: [],
  objectives: {
    errorRatioMax: 0.001,
    homeP99MsMax: 500,
    playbackP99MsMax: 500,
    startupP95MsMax: 2_000,
    rebufferRatioMax: 0.01,
    viewersLostRatioMax: 0.02,
    originOffloadMin: 0.9,
    eventsLostMax: 0,
    eventsDoubledMax: 0,
    violationsMax: 0,
  },
  bounds: { viewersMax: 20_000, requestsMax: 5_000_000, durationMsMax: 15 * 60_000 },
  platform: { workers: 1, premiereMs: 48_000, titles: 3, titleMs: 16_000, diskBytes: null },
}

/** Fills in defaults and checks everything. Fault `scenario-invalid` whose message lists every fault with its path, one a line. */
export function defineStorm(input: StormInput): Scenario {
  const faults: string[] = []
  const scenario = withDefaults(isRecord(input) ? input : {})
  for (const key of Object.keys(scenario))
    if (!Object.hasOwn(SECTIONS, key))
      faults.push(`${key}: unknown; expected one of ${Object.keys(SECTIONS).join(', ')}`)
  const sound: Partial<Scenario> = Object.fromEntries(
    Object.entries(SECTIONS).flatMap(([key, check]: [string, Section]) => {
      const found = check(scenario[key], key)
      faults.push(...found)
      return found.length === 0 ? [[key, scenario[key]]] : []
    }),
  )
  faults.push(...checkRelations(sound))
  if (faults.length === 0) return sound as Scenario // every section was found sound by its schema
  throw new Fault(
    'scenario-invalid',
    `the scenario has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    { detail: { faults } },
  )
}

/** What is not a record stays as it is, for the check to name. */
function withDefaults(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { titles, habits, bounds, platform } = STORM_DEFAULTS
  const merged = merge(habits, input['habits'])
  return {
    ...STORM_DEFAULTS,
    ...input,
    titles: merge(titles, input['titles']),
    habits: isRecord(merged)
      ? { ...merged, player: merge(habits.player, recordIn(input['habits'])['player']) }
      : merged,
    bounds: merge(bounds, input['bounds']),
    platform: merge(platform, input['platform']),
  }
}

function merge(defaults: object, given: unknown): unknown {
  if (given === undefined) return defaults
  return isRecord(given) ? { ...defaults, ...given } : given
}

const recordIn = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {})

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
