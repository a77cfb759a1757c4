import { DEFAULT_LIMITS, type Limits } from '../../kernel/index.ts'

/** What left to make room; `sliceIndex` is null for a head, with which all its slices leave. */
export type Evicted = { readonly key: string; readonly sliceIndex: number | null; readonly bytes: number }

export type MemoryTierOptions = {
  /** The hard bound of `bytes()`. */
  readonly bytesMax: number
  /** The unit in which bodies are admitted and evicted. */
  readonly sliceBytes?: number
  /** Charged for each entry and each slice besides its bytes: what the engine needs around them. */
  readonly entryOverheadBytes?: number
  /** Charged for each tag of an entry besides its characters. */
  readonly tagOverheadBytes?: number
  /** The part of the bound that one object may hold, head and slices together. */
  readonly objectShareMax?: number
  /** Variants kept of one primary key; the least used gives way. */
  readonly variantsMax?: number
  /** Purges remembered for tickets. */
  readonly purgesMax?: number
  /** Told of every eviction while it happens: it may look, and must not change the tier. */
  readonly onEvict?: (evicted: Evicted) => void
}

export type MemoryTierSettings = Required<MemoryTierOptions>

/** The overheads lie a little above what Bun's heap grew by, measured with 100,000 entries: 700 each, 384 for a tag. */
const MEMORY_TIER_DEFAULTS: Omit<MemoryTierSettings, 'bytesMax'> = {
  sliceBytes: DEFAULT_LIMITS.edgeSliceBytes,
  entryOverheadBytes: 768,
  tagOverheadBytes: 384,
  objectShareMax: DEFAULT_LIMITS.edgeObjectShareMax,
  variantsMax: DEFAULT_LIMITS.edgeVariantsMax,
  purgesMax: DEFAULT_LIMITS.edgePurgesMax,
  onEvict: () => {},
}

/** What of the limits bounds the tier. */
export type MemoryTierLimits = Pick<
  Limits,
  'edgeCacheBytes' | 'edgeSliceBytes' | 'edgeObjectShareMax' | 'edgeVariantsMax' | 'edgePurgesMax'
>

export const toMemoryTierOptions = (limits: MemoryTierLimits): MemoryTierOptions => ({
  bytesMax: limits.edgeCacheBytes,
  sliceBytes: limits.edgeSliceBytes,
  objectShareMax: limits.edgeObjectShareMax,
  variantsMax: limits.edgeVariantsMax,
  purgesMax: limits.edgePurgesMax,
})

const COUNTS = ['bytesMax', 'sliceBytes', 'variantsMax', 'purgesMax'] as const
const OVERHEADS = ['entryOverheadBytes', 'tagOverheadBytes'] as const

const faultsOf = (settings: MemoryTierSettings): string[] => [
  ...COUNTS.filter((name) => !(Number.isSafeInteger(settings[name]) && settings[name] > 0)).map(
    (name) => `${name}: expected a whole number above 0, got ${settings[name]}`,
  ),
  ...OVERHEADS.filter((name) => !(Number.isSafeInteger(settings[name]) && settings[name] >= 0)).map(
    (name) => `${name}: expected a whole number of at least 0, got ${settings[name]}`,
  ),
  ...(settings.objectShareMax > 0 && settings.objectShareMax <= 1
    ? []
    : [`objectShareMax: expected above 0 and at most 1, got ${settings.objectShareMax}`]),
]

/** Defaults filled in; throws with every fault at once. */
export const toMemoryTierSettings = (options: MemoryTierOptions): MemoryTierSettings => {
  const settings = { ...MEMORY_TIER_DEFAULTS, ...options }
  const faults = faultsOf(settings)
  if (faults.length > 0) throw new RangeError(`memory tier: correct these options: ${faults.join('; ')}`)
  return settings
}
