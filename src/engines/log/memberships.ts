/** Who handles a topic for a group: the first who joined and has not left; the others stand by in the order they came. */
export type Memberships = {
  /** `onActive` is called once, when it is this member's turn; leaving is idempotent and lets the next one in. */
  join(topic: string, group: string, onActive: () => void): () => void
}

export function createMemberships(): Memberships {
  const members = new Map<string, (() => void)[]>()

  return {
    join(topic, group, onActive) {
      const key = `${topic} ${group}`
      const member = (): void => onActive()
      const waiting = members.get(key) ?? []
      members.set(key, waiting)
      waiting.push(member)
      if (waiting[0] === member) member()
      return () => {
        const at = waiting.indexOf(member)
        if (at < 0) return
        waiting.splice(at, 1)
        if (waiting.length === 0) members.delete(key)
        else if (at === 0) waiting[0]?.()
      }
    },
  }
}
