export type Command =
  | { readonly type: 'toggle' | 'fullscreen' | 'mute' | 'captions' }
  | { readonly type: 'skip'; readonly ms: number }
  | { readonly type: 'volume'; readonly by: number }

export const SKIP_MS = 10_000
const VOLUME_STEP = 0.05

const COMMANDS: Readonly<Record<string, Command>> = {
  ' ': { type: 'toggle' },
  k: { type: 'toggle' },
  MediaPlayPause: { type: 'toggle' },
  f: { type: 'fullscreen' },
  m: { type: 'mute' },
  c: { type: 'captions' },
  ArrowLeft: { type: 'skip', ms: -SKIP_MS },
  ArrowRight: { type: 'skip', ms: SKIP_MS },
  j: { type: 'skip', ms: -SKIP_MS },
  l: { type: 'skip', ms: SKIP_MS },
  ArrowUp: { type: 'volume', by: VOLUME_STEP },
  ArrowDown: { type: 'volume', by: -VOLUME_STEP },
}

type KeyPress = { readonly key: string; readonly alt: boolean; readonly ctrl: boolean; readonly meta: boolean }

/** What a key does in the player. A control that has the focus keeps the keys that are its own. */
export function toCommand(press: KeyPress, focused: 'button' | 'slider' | 'menu' | null): Command | null {
  if (press.alt || press.ctrl || press.meta) return null
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key
  if (focused === 'menu') return null
  if (focused === 'button' && key === ' ') return null
  if (focused === 'slider' && key.startsWith('Arrow')) return null
  return Object.hasOwn(COMMANDS, key) ? (COMMANDS[key] ?? null) : null
}
