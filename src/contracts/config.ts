import { z } from 'zod'
import { checkLimits, DEFAULT_LIMITS, Fault, type Limits } from '../kernel/index.ts'
import { PLATFORMS, TIERS } from './api.ts'
import { parseNetwork } from './network.ts'

/** One rung of the ladder. A source never gets a rung above its own height. */
const rungSchema = z.strictObject({
  height: z.int().min(144).max(1080).multipleOf(2),
  /** Peak video bitrate, bits per second. */
  bitrateBps: z.int().min(50_000).max(50_000_000),
})

const cellSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected a lower-case name such as "a" or "eu-west"'),
  /** Which viewers live here; an absent list means all. The first cell that matches wins, so the last should match all. */
  countries: z.array(z.string().regex(/^[A-Z]{2}$/)).optional(),
  tiers: z.array(z.enum(TIERS)).optional(),
  platforms: z.array(z.enum(PLATFORMS)).optional(),
})

const engineNames = {
  log: z.literal('embedded'),
  objects: z.literal('embedded'),
  tables: z.literal('embedded'),
  cache: z.literal('embedded'),
}
const portSchema = z.int().min(0).max(65_535)
const networkSchema = z
  .string()
  .refine(
    (text) => parseNetwork(text) !== null,
    'expected a network such as "10.0.0.0/8" or "fd00::/8", no bit set beyond its prefix',
  )
const limitShape = Object.fromEntries(
  Object.keys(DEFAULT_LIMITS).map((name) => [name, z.number().positive().optional()]),
)

export const DEFAULT_LADDER: readonly Rung[] = [
  { height: 240, bitrateBps: 400_000 },
  { height: 360, bitrateBps: 800_000 },
  { height: 480, bitrateBps: 1_400_000 },
  { height: 720, bitrateBps: 2_800_000 },
  { height: 1080, bitrateBps: 5_000_000 },
]

/** This machine itself: its operator, its health checks, a balancer on it. */
export const DEFAULT_EXEMPT_NETWORKS: readonly string[] = ['127.0.0.0/8', '::1/128']

export const configSchema = z.strictObject({
  home: z.string().min(1).default('.tentpole'),
  ports: z.strictObject({ watch: portSchema.default(8080), console: portSchema.default(8081) }).prefault({}),
  cells: z
    .array(cellSchema)
    .min(1)
    .max(64)
    .default([{ name: 'a', countries: ['US', 'CA', 'MX', 'BR'] }, { name: 'b' }])
    .refine((cells) => new Set(cells.map((cell) => cell.name)).size === cells.length, 'cell names must differ'),
  engines: z.strictObject(engineNames).partial().default({}),
  media: z
    .strictObject({
      ladder: z
        .array(rungSchema)
        .min(1)
        .max(8)
        .default([...DEFAULT_LADDER]),
      /** Worker processes; 0 makes nothing new. */
      workers: z.int().min(0).max(64).default(1),
    })
    .prefault({}),
  edge: z
    .strictObject({
      /** Clients that no limit per client counts: a balancer in front, through which everybody comes, or a monitor. */
      exemptNetworks: z
        .array(networkSchema)
        .max(64)
        .default([...DEFAULT_EXEMPT_NETWORKS]),
      /** Where a line per request goes, sampled under load: nowhere, among the platform's own lines, or into a file. */
      accessLog: z
        .string()
        .regex(/^(?:off|stdout|\/.*[^/])$/, 'expected "off", "stdout" or the absolute path of a file')
        .default('off'),
    })
    .prefault({}),
  signatures: z
    .strictObject({
      /** Path tokens are good in the network of so many bits around the viewer's address only; null binds them to none. */
      bindIpv4Bits: z.int().min(1).max(32).nullable().default(null),
      bindIpv6Bits: z.int().min(1).max(128).nullable().default(null),
    })
    .prefault({}),
  hub: z
    .strictObject({
      /** Files of events, pipes and subscriptions (`export default defineHub({ … })`), relative to this configuration's. */
      modules: z.array(z.string().min(1).max(4_096)).max(64).default([]),
      /** Private networks that webhooks may go to; all others of those are refused, since a webhook is told where to go by others. */
      webhookNetworks: z.array(networkSchema).max(64).default([]),
    })
    .prefault({}),
  limits: z.strictObject(limitShape).default({}),
})

export type Rung = z.infer<typeof rungSchema>
export type CellConfig = z.infer<typeof cellSchema>
/** What tentpole.config.ts may say. */
export type TentpoleConfig = {
  home?: string
  ports?: { watch?: number; console?: number }
  cells?: CellConfig[]
  engines?: { log?: 'embedded'; objects?: 'embedded'; tables?: 'embedded'; cache?: 'embedded' }
  media?: { ladder?: Rung[]; workers?: number }
  edge?: { exemptNetworks?: string[]; accessLog?: string }
  signatures?: { bindIpv4Bits?: number | null; bindIpv6Bits?: number | null }
  hub?: { modules?: string[]; webhookNetworks?: string[] }
  limits?: Partial<Limits>
}
/** The same with every default filled in and every relation checked. */
export type ResolvedConfig = {
  readonly home: string
  readonly ports: { readonly watch: number; readonly console: number }
  readonly cells: readonly CellConfig[]
  readonly media: { readonly ladder: readonly Rung[]; readonly workers: number }
  readonly edge: { readonly exemptNetworks: readonly string[]; readonly accessLog: string }
  readonly signatures: { readonly bindIpv4Bits: number | null; readonly bindIpv6Bits: number | null }
  /** `modules`: absolute once the file they are named in is known. */
  readonly hub: { readonly modules: readonly string[]; readonly webhookNetworks: readonly string[] }
  readonly limits: Limits
}

/** Describes a platform; checked when it starts. The identity function, for the types. */
export function defineTentpole(config: TentpoleConfig): TentpoleConfig {
  return config
}

/** Fills in defaults and checks everything. Fault `config-invalid` whose message lists every fault with its path, one a line. */
export function parseConfig(
  input: unknown,
  environment: Readonly<Record<string, string | undefined>> = {},
): ResolvedConfig {
  const faults: string[] = []
  const parsed = configSchema.safeParse(input ?? {})
  if (!parsed.success)
    for (const issue of parsed.error.issues) faults.push(`${issue.path.join('.') || '(config)'}: ${issue.message}`)
  const watch = portFrom(environment, 'TENTPOLE_PORT', faults)
  const console_ = portFrom(environment, 'TENTPOLE_CONSOLE_PORT', faults)
  const limits = { ...DEFAULT_LIMITS, ...(parsed.success ? (parsed.data.limits as Partial<Limits>) : {}) }
  if (parsed.success) for (const sentence of checkLimits(limits)) faults.push(`limits: ${sentence}`)
  if (!parsed.success || faults.length > 0) {
    throw new Fault(
      'config-invalid',
      `the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
  }
  const { home, ports, cells, media, edge, signatures, hub } = parsed.data
  return {
    home: environment['TENTPOLE_HOME'] || home,
    ports: { watch: watch ?? ports.watch, console: console_ ?? ports.console },
    cells: cells as readonly CellConfig[],
    media,
    edge,
    signatures,
    hub,
    limits,
  }
}

/** The cell a viewer belongs to: the first whose lists all match, else the last. */
export function cellFor(
  cells: readonly CellConfig[],
  viewer: { country: string; tier: string; platform: string },
): string {
  const fits = (list: readonly string[] | undefined, value: string): boolean =>
    list === undefined || list.includes(value)
  const found = cells.find(
    (cell) =>
      fits(cell.countries, viewer.country) && fits(cell.tiers, viewer.tier) && fits(cell.platforms, viewer.platform),
  )
  const cell = found ?? cells.at(-1)
  if (!cell) throw new Fault('config-invalid', 'cells: expected at least one cell')
  return cell.name
}

function portFrom(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  faults: string[],
): number | null {
  const text = environment[name]
  if (text === undefined || text === '') return null
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  faults.push(`${name}: expected a port from 0 to 65535, got ${JSON.stringify(text)}`)
  return null
}
