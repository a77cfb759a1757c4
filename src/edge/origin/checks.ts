import type { OriginMember } from './member.ts'

/**
 * Asks every origin for a path now and then, so that one that died is known before a viewer meets it, and one that
 * came back before its backoff ends. Any final status but a gateway one or another 5xx is an answer.
 */
export function startChecks(options: {
  readonly members: readonly OriginMember[]
  readonly check: { readonly path: string; readonly everyMs: number }
  readonly random: () => number
  readonly timeoutMs: number
}): { stop(): void } {
  const { members, check, random, timeoutMs } = options
  const closing = new AbortController()
  const timers = new Set<ReturnType<typeof setTimeout>>()

  const ask = async (member: OriginMember): Promise<void> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)])
    const request = { method: 'GET', path: check.path, lines: [], body: null, signal }
    const result = await member.exchange.send(request, { fresh: true })
    if (result.ok) result.discard()
    if (closing.signal.aborted) return
    if (result.ok && result.status < 500) member.note({ kind: 'answered' })
    else {
      member.note({ kind: 'asked' })
      member.note({ kind: 'failed', reachable: result.ok || result.code !== 'origin-unreachable' })
    }
  }
  const later = (member: OriginMember): void => {
    // Spread by chance, so that many edges do not ask at once.
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        void ask(member).finally(() => {
          if (!closing.signal.aborted) later(member)
        })
      },
      check.everyMs * (0.75 + random() / 2),
    )
    timers.add(timer)
  }
  for (const member of members) later(member)

  return {
    stop() {
      closing.abort()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
