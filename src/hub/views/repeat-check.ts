/** The ids that a check remembers, in two generations. */
export type RememberedIds = { readonly old: readonly string[]; readonly young: readonly string[] }

export type RepeatCheck = {
  /** True for an id it was asked about before, among the last `max` to 2 × `max`. */
  isRepeat(id: string): boolean
  /** By which another one goes on from here. */
  remembered(): RememberedIds
}

export function createRepeatCheck(max: number, remembered: RememberedIds = { old: [], young: [] }): RepeatCheck {
  let young = new Set(remembered.young)
  let old = new Set(remembered.old)
  return {
    isRepeat(id) {
      if (young.has(id) || old.has(id)) return true
      young.add(id)
      if (young.size >= max) {
        old = young
        young = new Set()
      }
      return false
    },
    remembered: () => ({ old: [...old], young: [...young] }),
  }
}
