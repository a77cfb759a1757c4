import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Problem, Result } from '../../common/problem.ts'

/** What a page knows of one address: the last good answer stays in sight while a newer one is on its way. */
export type Resource<T> = { readonly value: T | null; readonly problem: Problem | null; readonly loading: boolean }

const UNKNOWN: Resource<never> = { value: null, problem: null, loading: true }

export type Resources = {
  read<T>(key: string): Resource<T>
  /** Asks anew; a second caller joins a question that is still open. */
  load<T>(key: string, ask: () => Promise<Result<T>>): Promise<void>
  subscribe(listener: () => void): () => void
}

export function createResources(): Resources {
  const known = new Map<string, Resource<unknown>>()
  const asking = new Map<string, Promise<void>>()
  const listeners = new Set<() => void>()

  function set(key: string, next: Resource<unknown>): void {
    known.set(key, next)
    for (const listener of listeners) listener()
  }

  async function ask(key: string, question: () => Promise<Result<unknown>>): Promise<void> {
    const before = known.get(key) ?? UNKNOWN
    if (!before.loading) set(key, { ...before, loading: true })
    const answer = await question()
    asking.delete(key)
    set(
      key,
      answer.ok
        ? { value: answer.value, problem: null, loading: false }
        : { value: before.value, problem: answer.problem, loading: false },
    )
  }

  return {
    // The key names the type: every reader of a key asks the same question of the API.
    read: <T>(key: string) => (known.get(key) ?? UNKNOWN) as Resource<T>,
    load(key, question) {
      const open = asking.get(key)
      if (open !== undefined) return open
      const started = ask(key, question)
      asking.set(key, started)
      return started
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

type ResourceQuestion<T> = {
  readonly resources: Resources
  readonly key: string
  readonly ask: () => Promise<Result<T>>
  /** Milliseconds until it is asked again, or null for not before the page is shown anew. */
  readonly again: (known: Resource<T>) => number | null
}

/** The answer to a question, asked on arrival, when the page is shown again, and as often as `again` says. */
export function useResource<T>(question: ResourceQuestion<T>): { resource: Resource<T>; retry: () => void } {
  const { resources, key } = question
  const resource = useSyncExternalStore(resources.subscribe, () => resources.read<T>(key))
  const [asked, setAsked] = useState(0)
  const load = (): void => {
    void resources.load(key, question.ask)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: a question is its key; its function is new at every render
  useEffect(() => {
    load()
    const onShown = (): void => {
      if (document.visibilityState === 'visible') load()
    }
    document.addEventListener('visibilitychange', onShown)
    return () => document.removeEventListener('visibilitychange', onShown)
  }, [resources, key, asked])
  const againMs = resource.loading ? null : question.again(resource)
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (againMs === null) return
    const timer = setTimeout(load, againMs)
    return () => clearTimeout(timer)
  }, [resource, key, againMs])
  return { resource, retry: () => setAsked((count) => count + 1) }
}
