/**
 * Rules and events in the manner of event-ruler's own benchmark (events of about 1 KB with nested arrays; rules that are exact, by prefix,
 * suffix and case, wildcards, anything-but, numeric, on arrays), about what a streaming service would say. Same seed, same rules.
 */
export type Draw = (below: number) => number

/** Mulberry32. */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const REGIONS = ['eu-west-1', 'eu-north-1', 'us-east-1', 'us-west-2', 'ap-south-1', 'sa-east-1']
const TYPES = ['Playback Started', 'Playback Stopped', 'Quality Changed', 'Title Published', 'Payment Settled']
const DEVICES = ['tv', 'phone', 'tablet', 'browser', 'console']
const TEAMS = ['news', 'film', 'sport', 'kids', 'live']
/** Titles, viewers and hosts there are: so many that few rules are about the same one. */
const TITLES = 200_000
const VIEWERS = 500_000
const HOSTS = 100_000

const pick = (draw: Draw, from: readonly string[]): string => from[draw(from.length)] ?? ''
const titleOf = (number: number): string => `${pickTeam(number)}-${(number * 7919).toString(36)}-${number}`
const pickTeam = (number: number): string => TEAMS[number % TEAMS.length] ?? ''
const viewerOf = (number: number): string => `Viewer-${(number * 104_729).toString(16)}-${number}`

/** An event as a hub gets it: about 1 KB of JSON. */
export function createEvent(draw: Draw): Readonly<Record<string, unknown>> {
  const title = draw(TITLES)
  const viewer = draw(VIEWERS)
  const host = `edge-${draw(HOSTS)}.${pick(draw, REGIONS)}.tentpole.example`
  const renditions = Array.from({ length: 4 }, (_, at) => ({
    name: `${270 * (at + 1)}p`,
    codec: at % 2 === 0 ? 'avc1' : 'hvc1',
    bitrate: 400_000 * (at + 1) + draw(5_000),
    host: `edge-${draw(HOSTS)}`,
  }))
  return {
    version: '0',
    id: `${draw(1e9).toString(16)}-${draw(1e9).toString(16)}-${draw(1e9)}`,
    source: `tentpole.${pick(draw, TEAMS)}`,
    'detail-type': pick(draw, TYPES),
    account: '123456789012',
    region: pick(draw, REGIONS),
    time: `2026-11-21T${10 + draw(12)}:${10 + draw(50)}:${10 + draw(50)}Z`,
    resources: [`trn:tentpole:catalog:title/${titleOf(title)}`, `trn:tentpole:account:viewer/${viewerOf(viewer)}`],
    detail: {
      title: {
        id: titleOf(title),
        path: `/v/${pickTeam(title)}/${titleOf(title)}/${draw(9)}/main.m3u8`,
        season: draw(9),
      },
      viewer: { id: viewerOf(viewer), address: `10.${draw(250)}.${draw(250)}.${draw(250)}`, plan: 'standard' },
      device: { kind: pick(draw, DEVICES), model: `M${draw(400)}`, agent: 'Mozilla/5.0 (X11; Linux) Player/4.11' },
      quality: { startMs: draw(100_000) / 10, rebuffers: draw(6), score: draw(100_000_000) / 1000, dropped: null },
      host,
      renditions,
      completed: draw(2) === 0,
    },
  }
}

/** A few that match often, whatever the number: then what remains is about single titles, viewers, hosts, networks and figures. */
const BROAD: readonly object[] = [
  { source: ['tentpole.news'], 'detail-type': ['Playback Started'] },
  { 'detail-type': [{ prefix: 'Title' }], detail: { completed: [true] } },
  { region: [{ 'anything-but': { prefix: 'us-' } }], detail: { quality: { rebuffers: [{ numeric: ['>', 4] }] } } },
  { detail: { device: { kind: ['tv'] }, viewer: { address: [{ cidr: '10.1.0.0/16' }] } } },
  { detail: { quality: { dropped: [{ exists: false }] } } },
]

type RuleKind = (draw: Draw) => object

/** One of each in turn. */
const KINDS: Readonly<Record<string, RuleKind>> = {
  exact: (draw) => ({ source: [`tentpole.${pick(draw, TEAMS)}`], detail: { title: { id: [titleOf(draw(TITLES))] } } }),
  'exact, several': (draw) => ({ detail: { viewer: { id: [viewerOf(draw(VIEWERS)), viewerOf(draw(VIEWERS))] } } }),
  prefix: (draw) => ({
    detail: { title: { path: [{ prefix: `/v/${pickTeam(draw(TITLES))}/${titleOf(draw(TITLES))}/` }] } },
  }),
  suffix: (draw) => ({ resources: [{ suffix: `/${viewerOf(draw(VIEWERS))}` }] }),
  'equals-ignore-case': (draw) => ({
    detail: { viewer: { id: [{ 'equals-ignore-case': viewerOf(draw(VIEWERS)).toUpperCase() }] } },
  }),
  wildcard: (draw) => ({ detail: { host: [{ wildcard: `edge-${draw(HOSTS)}.*.tentpole.example` }] } }),
  'anything-but': (draw) => ({
    region: [{ 'anything-but': [pick(draw, REGIONS), pick(draw, REGIONS)] }],
    detail: { title: { id: [titleOf(draw(TITLES))] }, device: { kind: [{ 'anything-but': pick(draw, DEVICES) }] } },
  }),
  numeric: (draw) => {
    const low = draw(100_000_000) / 1000
    return { detail: { quality: { score: [{ numeric: ['>=', low, '<', low + 0.005] }] } } }
  },
  'nested array': (draw) => ({
    detail: {
      renditions: { host: [`edge-${draw(HOSTS)}`], codec: ['hvc1'], bitrate: [{ numeric: ['>', 1_500_000] }] },
    },
  }),
  cidr: (draw) => ({ detail: { viewer: { address: [{ cidr: `10.${draw(250)}.${draw(250)}.0/24` }] } } }),
  $or: (draw) => ({
    $or: [
      { detail: { title: { id: [titleOf(draw(TITLES))] } } },
      { detail: { viewer: { id: [viewerOf(draw(VIEWERS))] }, completed: [false] } },
    ],
  }),
}

export function createRules(count: number, draw: Draw): readonly object[] {
  const kinds = Object.values(KINDS)
  return Array.from({ length: count }, (_, at) => BROAD[at] ?? kinds[at % kinds.length]?.(draw) ?? {})
}
