/** Which members carry a tag (a surrogate key). */
export type TagIndex<T> = {
  add(tags: readonly string[], member: T): void
  remove(tags: readonly string[], member: T): void
  /** A copy: the members may be removed while it is walked. */
  membersOf(tag: string): T[]
}

export const createTagIndex = <T>(): TagIndex<T> => {
  const members = new Map<string, Set<T>>()

  const add = (tags: readonly string[], member: T): void => {
    for (const tag of tags) {
      const held = members.get(tag)
      if (held === undefined) members.set(tag, new Set([member]))
      else held.add(member)
    }
  }

  const remove = (tags: readonly string[], member: T): void => {
    for (const tag of tags) {
      const held = members.get(tag)
      held?.delete(member)
      if (held?.size === 0) members.delete(tag)
    }
  }

  return { add, remove, membersOf: (tag) => [...(members.get(tag) ?? [])] }
}
