/** Captions as SubRip or WebVTT in, clean WebVTT out. Pure. */
export type Cue = { readonly startMs: number; readonly endMs: number; readonly text: string; readonly settings: string }
export type ParsedCaptions =
  | { readonly ok: true; readonly cues: readonly Cue[] }
  | { readonly ok: false; readonly message: string }

/** `hh:` may be missing in WebVTT; SubRip has a comma before the milliseconds. */
const TIME = String.raw`(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})`
const TIMING = new RegExp(String.raw`^\s*${TIME}\s*-->\s*${TIME}(.*)$`)
const CUES_MAX = 100_000
const LINES_PER_CUE_MAX = 20

/** Reads either format in whatever encoding it came. Lines that belong to no cue (numbers, notes, styles) are left out. */
export function parseCaptions(bytes: Uint8Array): ParsedCaptions {
  if (bytes.length === 0)
    return { ok: false, message: 'expected SRT or WebVTT, got an empty or missing file, or one over the limit' }
  const lines = decodeText(bytes)
    .replaceAll('\0', '')
    .split(/\r\n|\r|\n/)
  const cues: Cue[] = []
  for (let at = 0; at < lines.length; at++) {
    const match = TIMING.exec(lines[at] ?? '')
    if (!match) continue
    const startMs = toMs(match.slice(1, 5))
    const endMs = toMs(match.slice(5, 9))
    const text: string[] = []
    while (at + 1 < lines.length && (lines[at + 1] ?? '').trim() !== '') text.push(lines[++at] ?? '')
    if (endMs <= startMs) continue
    if (cues.length >= CUES_MAX) return { ok: false, message: `expected at most ${CUES_MAX} cues, got more` }
    cues.push({
      startMs,
      endMs,
      text: text.slice(0, LINES_PER_CUE_MAX).join('\n'),
      settings: cleanSettings(match[9] ?? ''),
    })
  }
  if (cues.length > 0) return { ok: true, cues }
  const isVtt = /^\uFEFF?WEBVTT/.test(lines[0] ?? '')
  return isVtt
    ? { ok: true, cues }
    : { ok: false, message: 'expected SRT or WebVTT with lines such as "00:00:01,000 --> 00:00:02,500", got none' }
}

/** WebVTT with only what every player shows: text, `i`, `b`, `u`, and cue settings that place it. In order of time. */
export function toWebVtt(cues: readonly Cue[], shiftMs = 0): string {
  const shown = cues
    .map((cue) => ({ ...cue, startMs: Math.max(0, cue.startMs + shiftMs), endMs: cue.endMs + shiftMs }))
    .filter((cue) => cue.endMs > cue.startMs && cue.text.trim() !== '')
    .sort((left, right) => left.startMs - right.startMs)
  const blocks = shown.map(
    ({ startMs, endMs, text, settings }) =>
      `${toTime(startMs)} --> ${toTime(endMs)}${settings === '' ? '' : ` ${settings}`}\n${cleanText(text)}`,
  )
  return `${['WEBVTT', ...blocks].join('\n\n')}\n`
}

/**
 * UTF-8 or UTF-16 by byte order mark, else UTF-8 if it is valid, else Windows-1252 (which holds Latin-1): what old
 * subtitle files are most often in.
 */
export function decodeText(bytes: Uint8Array): string {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  if (mark === 0xfffe) return new TextDecoder('utf-16le').decode(bytes)
  if (mark === 0xfeff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** Tags of SubRip, ASS (`{\an8}`) and WebVTT voices go; the three that mean emphasis stay; all else is text. */
function cleanText(text: string): string {
  return text
    .replaceAll(/\{\\[^}]*\}/g, '')
    .replaceAll(/&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)/g, '&amp;')
    .replaceAll(/<(\/?)([ibu])>/gi, (_, slash: string, tag: string) => `\u0001${slash}${tag.toLowerCase()}\u0002`)
    .replaceAll(/<\/?[a-z][^<>]*>|<\d[\d:.]*>/gi, '')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\u0001', '<')
    .replaceAll('\u0002', '>')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .join('\n')
}

const SETTING =
  /^(?:line:-?\d+(?:\.\d+)?%?(?:,(?:start|center|end))?|position:\d+(?:\.\d+)?%(?:,(?:line-left|center|line-right))?|align:(?:start|center|end|left|right)|size:\d+(?:\.\d+)?%|vertical:(?:rl|lr))$/

function cleanSettings(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .filter((setting) => SETTING.test(setting))
    .join(' ')
}

function toMs(parts: readonly (string | undefined)[]): number {
  const [hours = '0', minutes = '0', seconds = '0', fraction = '0'] = parts
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'))
}

function toTime(ms: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const fraction = String(Math.round(ms) % 1000).padStart(3, '0')
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${fraction}`
}
