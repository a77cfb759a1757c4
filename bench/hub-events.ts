import { z } from 'zod'
import type { EventDefinitions, Registry } from '../src/contracts/index.ts'
import { createRegistry, type NewEvent, platformDefinitions } from '../src/hub/index.ts'
import { createDraw, type Draw } from './hub-rules.ts'

/** Events of about 1 KB with their envelopes: what players say, some 35 values in eight objects; and what editors say, a dozen and a text. */
export type EventKind = 'played' | 'title'
export const PLAYED = 'com.example.playback.measured.v1'
export const PLAYED_TOPIC = 'bench-playback'
export const TITLE = 'com.example.title.changed.v1'
export const FILM = 'com.example.film.delivered.v1'

const identifier = z.string().min(1).max(100)
const playedSchema = z.object({
  /** Its number in the run: who counts sees each exactly once. */
  n: z.int().nonnegative(),
  title: z.object({ id: identifier, path: z.string().max(500), season: z.int().min(0).max(100) }),
  viewer: z.object({ id: identifier, address: z.string().max(45), plan: z.enum(['basic', 'standard', 'premium']) }),
  device: z.object({
    kind: z.enum(['tv', 'phone', 'tablet', 'browser', 'console']),
    model: z.string().max(100),
    agent: z.string().max(300),
  }),
  quality: z.object({ startMs: z.number().nonnegative(), rebuffers: z.int().nonnegative(), score: z.number() }),
  host: z.string().max(253),
  renditions: z
    .array(z.object({ name: z.string(), codec: z.enum(['avc1', 'hvc1', 'av01']), bitrate: z.int(), host: z.string() }))
    .max(16),
  completed: z.boolean(),
})

const titleSchema = z.object({
  /** As above. */
  n: z.int().nonnegative(),
  titleId: identifier,
  name: z.string().min(1).max(200),
  synopsis: z.string().max(4_000),
  kind: z.enum(['film', 'episode', 'trailer']),
  durationMs: z.int().positive(),
  releasedOn: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  countries: z.array(z.string().length(2)).max(300),
  available: z.boolean(),
  poster: z.string().max(500).optional(),
})

const definitions: EventDefinitions = {
  [TITLE]: { topic: 'bench-titles', data: titleSchema },
  [PLAYED]: { topic: PLAYED_TOPIC, data: playedSchema },
  [FILM]: { topic: 'bench-films', data: null, contentTypes: ['video/mp4'] },
}

/** The platform's events and these. */
export const benchRegistry: Registry = createRegistry(platformDefinitions, definitions)

const KINDS = ['tv', 'phone', 'tablet', 'browser', 'console'] as const
const VIEWERS = 100_000
const TITLES = 5_000

/** New objects for each, as whoever publishes has. */
export function createPlayed(n: number, draw: Draw): NewEvent {
  const title = `film-${draw(TITLES).toString(36)}-${draw(1e6)}`
  const viewer = `viewer-${draw(VIEWERS)}`
  return {
    type: PLAYED,
    subject: viewer,
    data: {
      n,
      title: { id: title, path: `/v/film/${title}/${draw(9)}/main.m3u8`, season: draw(9) },
      viewer: { id: viewer, address: `10.${draw(250)}.${draw(250)}.${draw(250)}`, plan: 'standard' },
      device: {
        kind: KINDS[draw(KINDS.length)],
        model: `M${draw(400)}`,
        agent: 'Mozilla/5.0 (X11; Linux x86_64) Player/4.11 (living room; remote control) Tentpole/1.0',
      },
      quality: { startMs: draw(100_000) / 10, rebuffers: draw(6), score: draw(100_000_000) / 1_000 },
      host: `edge-${draw(100_000)}.eu-west-1.tentpole.example`,
      renditions: Array.from({ length: 4 }, (_, at) => ({
        name: `${270 * (at + 1)}p`,
        codec: at % 2 === 0 ? 'avc1' : 'hvc1',
        bitrate: 400_000 * (at + 1) + draw(5_000),
        host: `edge-${draw(100_000)}.eu-west-1`,
      })),
      completed: draw(2) === 0,
    },
  }
}

const SYNOPSIS = `A lighthouse keeper's daughter comes home for one night, on which the whole town waits for a ship that left eighty years
ago. What she finds at the quay is not the ship; what the town finds in the morning is an empty light, a letter that nobody wrote, and a tide that
does not turn. A film about those who wait, those who are waited for, and the few who look out at sea on the night it happens. Shot in nine
weeks on one island, in the only winter in which its harbour froze over.`

export function createTitle(n: number, draw: Draw): NewEvent {
  const titleId = `title-${draw(TITLES)}`
  return {
    type: TITLE,
    subject: titleId,
    data: {
      n,
      titleId,
      name: `The Night of the Tide, part ${draw(100)}`,
      synopsis: `${SYNOPSIS} ${draw(1e9)}`,
      kind: 'film',
      durationMs: 1_000 + draw(9_000_000),
      releasedOn: `2026-${10 + draw(3)}-${10 + draw(18)}`,
      countries: ['DE', 'FR', 'NO', 'PT'],
      available: draw(2) === 0,
      poster: `posters/${titleId}/${draw(1e6)}.avif`,
    },
  }
}

/** Of each kind of rule some, about others' events or about what no event of the run has. */
const FOREIGN: readonly Readonly<Record<string, unknown>>[] = [
  { type: ['tentpole.title.published.v1'] },
  { type: [{ prefix: 'tentpole.' }] },
  { type: [{ suffix: '.v9' }] },
  { type: [TITLE], data: { titleId: ['title-that-is-not-there'], kind: ['film'] } },
  { type: [TITLE], data: { name: [{ prefix: 'The Day' }], available: [true] } },
  { type: [TITLE], data: { durationMs: [{ numeric: ['>', 1e9] }] } },
  { type: [TITLE], data: { countries: ['AQ'] } },
  { type: [PLAYED], data: { title: { id: ['film-that-is-not-there'] } } },
  { type: [PLAYED], data: { viewer: { id: ['viewer-x', 'viewer-y', 'viewer-z'] } } },
  { type: [PLAYED], data: { quality: { rebuffers: [{ numeric: ['>', 100] }] } } },
  { type: [PLAYED], data: { quality: { startMs: [{ numeric: ['>=', 20_000, '<', 30_000] }] } } },
  { type: [PLAYED], data: { viewer: { address: [{ cidr: '192.168.0.0/16' }] } } },
  { type: [PLAYED], data: { host: [{ wildcard: 'edge-*.us-east-1.*' }] } },
  { type: [PLAYED], data: { device: { kind: ['fridge'] } } },
  { type: [PLAYED], data: { device: { model: [{ 'equals-ignore-case': 'watch' }] } } },
  { type: [PLAYED], data: { title: { path: [{ prefix: '/v/series/' }] } } },
  { type: [PLAYED], data: { renditions: { codec: ['av01'], name: ['2160p'] } } },
  { type: [PLAYED], data: { viewer: { plan: [{ 'anything-but': ['standard', 'basic'] }] } } },
  { type: [PLAYED], data: { cause: [{ exists: true }] } },
  { source: [{ prefix: 'spokes/' }] },
  { subject: [{ suffix: '-guest' }] },
  { type: [PLAYED], $or: [{ data: { title: { season: [99] } } }, { data: { device: { kind: ['car'] } } }] },
  { type: [{ 'anything-but': { prefix: 'com.' } }], source: ['nobody'] },
]

/** By name: one that takes every event of the run, and others, that take none of them. */
export function createPatterns(count: number): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const patterns = new Map<string, Readonly<Record<string, unknown>>>([['all', { type: [PLAYED, TITLE] }]])
  for (let at = 0; patterns.size < count; at += 1) patterns.set(`other-${at}`, FOREIGN[at % FOREIGN.length] ?? {})
  return patterns
}

/** Made once and used again and again with new numbers: a generator's own work must not be what is measured. */
export function createPool(kind: EventKind, size: number): readonly NewEvent[] {
  const draw = createDraw(7)
  const create = kind === 'played' ? createPlayed : createTitle
  return Array.from({ length: size }, (_, n) => create(n, draw))
}
