import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { PathKeys } from '../../contracts/index.ts'
import { createShortId, type Limits } from '../../kernel/index.ts'

/** A key that signs path tokens and verifies them, in its file. */
export type PathKey = {
  readonly id: string
  /** 32 bytes, base64url. */
  readonly secret: string
  readonly createdAtMs: number
  readonly signsFromMs: number
  /** Null until a rotation retires it. */
  readonly verifiesUntilMs: number | null
}

/** In the order they were made; at least one is not retired. */
export type PathKeysFile = { readonly keys: readonly PathKey[] }

/** What may be shown of a key. */
export type PathKeyInfo = Omit<PathKey, 'secret'> & { readonly state: 'next' | 'signs' | 'verifies' | 'retired' }

/** `leadMs`: from when a key verifies until it signs; `overlapMs`: from then until the keys before it verify no more. */
export type RotationTimes = { readonly leadMs: number; readonly overlapMs: number }

export type Rotation =
  | { readonly ok: true; readonly file: PathKeysFile }
  | { readonly ok: false; readonly code: 'too-many-path-keys' }

const SECRET_BYTES = 32

const idSchema = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/)
const secretSchema = z.string().refine((text) => Buffer.from(text, 'base64url').length >= SECRET_BYTES)
const fileSchema = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        id: idSchema,
        secret: secretSchema,
        createdAtMs: z.int().min(0),
        signsFromMs: z.int().min(0),
        verifiesUntilMs: z.int().min(0).nullable(),
      }),
    ),
  })
  .refine(({ keys }) => keys.some(({ verifiesUntilMs }) => verifiesUntilMs === null))
  .refine(({ keys }) => new Set(keys.map(({ id }) => id)).size === keys.length)
/** As it was written before keys rotated. */
const oldFileSchema = z
  .strictObject({ current: idSchema, keys: z.record(idSchema, secretSchema) })
  .refine(({ current, keys }) => Object.hasOwn(keys, current))

/** Null for what neither this version nor an earlier one wrote. */
export function parsePathKeys(text: string): PathKeysFile | null {
  const value = parseJson(text)
  const parsed = fileSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const old = oldFileSchema.safeParse(value)
  return old.success ? fromOldForm(old.data) : null
}

export function formatPathKeys(file: PathKeysFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

/** A key nobody has seen. */
export function makePathKey(): Pick<PathKey, 'id' | 'secret'> {
  return { id: createShortId().slice(0, 8), secret: randomBytes(SECRET_BYTES).toString('base64url') }
}

/** The first key of a file: it signs at once. */
export function toFirstFile(key: Pick<PathKey, 'id' | 'secret'>, nowMs: number): PathKeysFile {
  return { keys: [{ ...key, createdAtMs: nowMs, signsFromMs: nowMs, verifiesUntilMs: null }] }
}

/** The youngest key whose time to sign has come signs; all that are not retired verify. */
export function toPathKeys(file: PathKeysFile, nowMs: number): PathKeys {
  const verifying = file.keys.filter((key) => verifiesAt(key, nowMs))
  return {
    current: signerAt(verifying, nowMs)?.id ?? '',
    keys: Object.fromEntries(verifying.map(({ id, secret }) => [id, secret])),
  }
}

/**
 * A new key beside the others: it verifies from now on, so that every edge knows it before it signs `leadMs` later; the
 * others verify for as long as what they have signed by then may be shown, `overlapMs`. Both 0 is for a leaked key.
 */
export function decideRotation(
  file: PathKeysFile,
  nowMs: number,
  options: RotationTimes & { readonly next: Pick<PathKey, 'id' | 'secret'>; readonly keysMax: number },
): Rotation {
  const { leadMs, overlapMs, next, keysMax } = options
  const signsFromMs = nowMs + leadMs
  const retiredAtMs = signsFromMs + overlapMs
  const kept = file.keys
    .map((key) => ({ ...key, verifiesUntilMs: Math.min(key.verifiesUntilMs ?? retiredAtMs, retiredAtMs) }))
    .filter((key) => verifiesAt(key, nowMs))
  if (kept.length >= keysMax) return { ok: false, code: 'too-many-path-keys' }
  return { ok: true, file: { keys: [...kept, { ...next, createdAtMs: nowMs, signsFromMs, verifiesUntilMs: null }] } }
}

/** When `toPathKeys` next gives something else by itself; null for never. */
export function nextTransitionMs(file: PathKeysFile, nowMs: number): number | null {
  const later = file.keys
    .flatMap(({ signsFromMs, verifiesUntilMs }) => [signsFromMs, verifiesUntilMs ?? nowMs])
    .filter((atMs) => atMs > nowMs)
  return later.length === 0 ? null : Math.min(...later)
}

/** Ids and times, never secrets. */
export function toPathKeyInfos(file: PathKeysFile, nowMs: number): PathKeyInfo[] {
  const { current } = toPathKeys(file, nowMs)
  return file.keys.map(({ secret: _, ...key }) => ({ ...key, state: stateOf(key, current, nowMs) }))
}

/** A retired key verifies as long as a token that it signed last may be renewed. */
export function rotationTimesOf(
  limits: Pick<Limits, 'pathKeyLeadMs' | 'pathTokenTtlMs' | 'pathTokenGraceMs'>,
): RotationTimes {
  return {
    leadMs: limits.pathKeyLeadMs,
    overlapMs: limits.pathTokenTtlMs + limits.pathTokenGraceMs + limits.pathKeyLeadMs,
  }
}

function fromOldForm({ current, keys }: z.infer<typeof oldFileSchema>): PathKeysFile {
  const ids = [...Object.keys(keys).filter((id) => id !== current), current]
  return {
    keys: ids.map((id) => ({
      id,
      secret: keys[id] ?? '',
      createdAtMs: 0,
      signsFromMs: 0,
      verifiesUntilMs: null,
    })),
  }
}

/** Among equals the last one made. Where the clock was set back before them all, the one that is due first. */
function signerAt(keys: readonly PathKey[], nowMs: number): PathKey | undefined {
  const due = keys.filter(({ signsFromMs }) => signsFromMs <= nowMs)
  if (due.length === 0) return keys.toSorted((one, other) => one.signsFromMs - other.signsFromMs)[0]
  return due.toSorted((one, other) => one.signsFromMs - other.signsFromMs).at(-1)
}

function verifiesAt({ verifiesUntilMs }: Pick<PathKey, 'verifiesUntilMs'>, nowMs: number): boolean {
  return verifiesUntilMs === null || verifiesUntilMs > nowMs
}

function stateOf(key: Omit<PathKey, 'secret'>, current: string, nowMs: number): PathKeyInfo['state'] {
  if (!verifiesAt(key, nowMs)) return 'retired'
  if (key.id === current) return 'signs'
  return key.signsFromMs > nowMs ? 'next' : 'verifies'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
