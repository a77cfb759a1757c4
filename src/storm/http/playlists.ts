import { LRUCache } from 'lru-cache'
import type { MainPlaylist, MediaPlaylist, Variant } from '../viewer/protocol.ts'
import { HTTP_LIMITS } from './limits.ts'

/** What a playlist said, or why it is not one that a viewer can play. */
export type PlaylistResult<Playlist> =
  | { readonly ok: true; readonly playlist: Playlist }
  | { readonly ok: false; readonly why: string }

/** The same text is the same object, for all who get it: 5,000 viewers of a premiere hold one timeline. */
export type PlaylistMemo = {
  main(text: string): PlaylistResult<MainPlaylist>
  /** `file` is what the main playlist calls it. */
  media(text: string, file: string): PlaylistResult<MediaPlaylist>
}

type Tag = { readonly name: string; readonly value: string }
type Line = Tag | { readonly file: string }
type Attributes = ReadonlyMap<string, string>

/** Sticky, and without anything that could be tried in two ways: a hostile line costs its length. RFC 8216, section 4.2. */
const ATTRIBUTE = /([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))(?:,|$)/y

/** At most `entriesMax` of each kind, the longest unused goes first. */
export function createPlaylistMemo({ entriesMax }: { entriesMax: number }): PlaylistMemo {
  const mains = new LRUCache<string, PlaylistResult<MainPlaylist>>({ max: entriesMax })
  const medias = new LRUCache<string, PlaylistResult<MediaPlaylist>>({ max: entriesMax })
  return {
    main: (text) => recall(mains, text, () => parseMainPlaylist(text)),
    // A file's name holds no line break, so that no two pairs make the same key.
    media: (text, file) => recall(medias, `${file}\n${text}`, () => parseMediaPlaylist(text, file)),
  }
}

function recall<Value extends object>(known: LRUCache<string, Value>, key: string, parse: () => Value): Value {
  const value = known.get(key) ?? parse()
  known.set(key, value)
  return value
}

/** Variants in the order they are listed. The sound is that of the default, or else first, audio rendition with a playlist. */
export function parseMainPlaylist(text: string): PlaylistResult<MainPlaylist> {
  const variants: Variant[] = []
  let audio: { file: string; isDefault: boolean } | null = null
  let pending: Attributes | null = null
  for (const line of linesOf(text)) {
    if (typeof line === 'string') return refuse(line)
    if ('file' in line) {
      const variant = pending ? toVariant(pending, line.file) : 'an address that no EXT-X-STREAM-INF announces'
      if (typeof variant === 'string') return refuse(variant)
      variants.push(variant)
      pending = null
    } else if (line.name === 'EXTINF') return refuse('a media playlist where the main one was expected')
    else if (line.name === 'EXT-X-STREAM-INF') pending = parseAttributes(line.value)
    else if (line.name === 'EXT-X-MEDIA') {
      const found = toAudio(parseAttributes(line.value))
      if (typeof found === 'string') return refuse(found)
      if (found && (!audio || (found.isDefault && !audio.isDefault))) audio = found
    }
  }
  if (pending) return refuse('an EXT-X-STREAM-INF without an address')
  if (variants.length === 0) return refuse('no variant')
  return { ok: true, playlist: { variants, audioFile: audio?.file ?? null } }
}

function toVariant(attributes: Attributes, uri: string): Variant | string {
  const file = resolveFile(uri, '')
  if (file === null) return describeForeign(uri)
  const bandwidth = attributes.get('BANDWIDTH') ?? ''
  const bandwidthBps = /^\d{1,12}$/.test(bandwidth) ? Number(bandwidth) : 0
  if (bandwidthBps === 0) return `a variant whose BANDWIDTH is ${describe(bandwidth)}`
  const height = /^\d{1,5}x(\d{1,5})$/.exec(attributes.get('RESOLUTION') ?? '')?.[1]
  return { file, bandwidthBps, height: Number(height ?? 0) }
}

function toAudio(attributes: Attributes): { file: string; isDefault: boolean } | string | null {
  const uri = attributes.get('URI')
  if (attributes.get('TYPE') !== 'AUDIO' || uri === undefined) return null
  const file = resolveFile(uri, '')
  return file === null ? describeForeign(uri) : { file, isDefault: attributes.get('DEFAULT') === 'YES' }
}

/** Only of films, which are listed to their end. `file` is what the main playlist calls it: its files lie beside it. */
export function parseMediaPlaylist(text: string, file: string): PlaylistResult<MediaPlaylist> {
  const directory = file.slice(0, file.lastIndexOf('/') + 1)
  const segmentFiles: string[] = []
  const endsMs: number[] = []
  let initFile: string | null = null
  let durationS: number | null = null
  let endS = 0
  let isWhole = false
  for (const line of linesOf(text)) {
    if (typeof line === 'string') return refuse(line)
    if ('file' in line) {
      if (durationS === null) return refuse('an address that no EXTINF announces')
      const segment = resolveFile(line.file, directory)
      if (segment === null) return refuse(describeForeign(line.file))
      endS += durationS
      segmentFiles.push(segment)
      endsMs.push(endS * 1000)
      durationS = null
    } else if (line.name === 'EXTINF') {
      durationS = parseDuration(line.value)
      if (durationS === null) return refuse(`a duration of ${describe(line.value)}`)
    } else if (line.name === 'EXT-X-MAP') {
      const map = toMap(parseAttributes(line.value), directory)
      if (!map.ok) return map
      if (initFile !== null && initFile !== map.playlist) return refuse('more than one EXT-X-MAP')
      initFile = map.playlist
    } else if (line.name === 'EXT-X-ENDLIST') isWhole = true
    else if (Object.hasOwn(NOT_A_FILM, line.name)) return refuse(NOT_A_FILM[line.name] ?? '')
  }
  if (segmentFiles.length === 0 || durationS !== null) return refuse('no segment, or an EXTINF without an address')
  if (!isWhole) return refuse('no EXT-X-ENDLIST: storm watches films, not channels')
  return { ok: true, playlist: { initFile, segmentFiles, endsMs } }
}

const NOT_A_FILM: Readonly<Record<string, string>> = {
  'EXT-X-STREAM-INF': 'a main playlist where a media one was expected',
  'EXT-X-BYTERANGE': 'parts of files (EXT-X-BYTERANGE), which storm does not ask for',
}

function toMap(attributes: Attributes, directory: string): PlaylistResult<string> {
  const uri = attributes.get('URI') ?? ''
  const file = resolveFile(uri, directory)
  if (file === null) return refuse(describeForeign(uri))
  return attributes.has('BYTERANGE') ? refuse('a part of a file as EXT-X-MAP') : { ok: true, playlist: file }
}

/** `6.006,` or `6,a name`: more than nothing, and less than a day. */
function parseDuration(value: string): number | null {
  const seconds = /^\d{1,6}(?:\.\d{1,12})?(?=,|$)/.exec(value)?.[0]
  return seconds !== undefined && Number(seconds) > 0 && Number(seconds) < 86_400 ? Number(seconds) : null
}

/**
 * Null unless the address stays in the main playlist's directory: only that path carries the viewer's signature, and
 * a target must not send a crowd elsewhere. Escaped dots count as dots, since servers differ in what they undo.
 */
function resolveFile(uri: string, directory: string): string | null {
  const file = directory + uri
  if (uri === '' || file.length > HTTP_LIMITS.playlistFileCharsMax) return null
  // Printable ASCII without `"`, `#`, `<`, `>`, backslash; no colon before a slash, which would be a scheme.
  if (!/^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d-\x7e]+$/.test(uri) || /^[^/?]*:/.test(uri)) return null
  const [path = '', query] = splitAt(file, '?')
  const parts = path.split('/').filter((part) => part !== '.')
  if (parts.length === 0 || parts.some((part) => part === '' || /^(?:\.|%2e)+$|%2f|%5c/i.test(part))) return null
  return query === undefined ? parts.join('/') : `${parts.join('/')}?${query}`
}

function splitAt(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** What counts in a playlist: tags and addresses. Comments and empty lines do not. Ends with a text when it is no playlist. */
function* linesOf(text: string): Generator<Line | string, void> {
  let from = 0
  let isFirst = true
  while (from < text.length) {
    const end = text.indexOf('\n', from)
    const to = end < 0 ? text.length : end
    const line = text.slice(from, text[to - 1] === '\r' ? to - 1 : to).trimEnd()
    from = to + 1
    if (isFirst && line !== '#EXTM3U') break
    isFirst = false
    if (line.startsWith('#EXT')) yield toTag(line)
    else if (line !== '' && !line.startsWith('#')) yield { file: line }
  }
  if (isFirst) yield 'no playlist: its first line is not #EXTM3U'
}

function toTag(line: string): Tag {
  const [name = '', value = ''] = splitAt(line.slice(1), ':')
  return { name, value }
}

function parseAttributes(value: string): Attributes {
  const attributes = new Map<string, string>()
  ATTRIBUTE.lastIndex = 0
  for (let match = ATTRIBUTE.exec(value); match; match = ATTRIBUTE.exec(value)) {
    const [, name = '', quoted, bare] = match
    attributes.set(name, quoted ?? bare ?? '')
  }
  return attributes
}

function describeForeign(uri: string): string {
  return `the address ${describe(uri)}, which does not lie in the main playlist's directory`
}

/** Its text is a stranger's: quoted, and cut. */
function describe(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why }
}
