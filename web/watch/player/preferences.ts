/** What a viewer chose once and expects the next film to know. */
export type Preferences = { readonly volume: number; readonly muted: boolean; readonly captionsLanguage: string | null }

const KEY = 'tentpole.preferences'
const DEFAULTS: Preferences = { volume: 1, muted: false, captionsLanguage: null }

type Store = Pick<Storage, 'getItem' | 'setItem'>

export function readPreferences(storage: Store): Preferences {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? '{}') as Record<string, unknown>
    const { volume, muted, captionsLanguage } = kept
    return {
      volume: typeof volume === 'number' && volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
      muted: typeof muted === 'boolean' ? muted : DEFAULTS.muted,
      captionsLanguage: typeof captionsLanguage === 'string' ? captionsLanguage : DEFAULTS.captionsLanguage,
    }
  } catch {
    return DEFAULTS
  }
}

export function writePreferences(storage: Store, change: Partial<Preferences>): void {
  storage.setItem(KEY, JSON.stringify({ ...readPreferences(storage), ...change }))
}
