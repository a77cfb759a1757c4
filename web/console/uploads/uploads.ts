import type { Problem } from '../../common/problem.ts'
import type { StaffApi } from '../api.ts'
import type { CaptionsFile, PlannedUpload } from './plan.ts'
import type { Intent, Send } from './send.ts'

export type UploadItem = {
  readonly key: string
  readonly name: string
  readonly fileName: string
  readonly bytes: number
  readonly sentBytes: number
  readonly state: 'waiting' | 'sending' | 'done' | 'failed'
  readonly titleId: string | null
  readonly problem: Problem | null
}

export type Uploads = {
  items(): readonly UploadItem[]
  subscribe(listener: () => void): () => void
  add(planned: readonly PlannedUpload<File>[]): void
  /** Takes a failed one up again, from where it stopped. */
  retry(key: string): void
  /** Stops one and takes it off the list. What was sent expires by itself on the server. */
  remove(key: string): void
}

/** Films sent at once; more only share the same line. */
const AT_ONCE_MAX = 3

/** The uploads of this page: created, sent in order of the drop, at most three at once. */
export function createUploads(options: { api: Pick<StaffApi, 'createTitle' | 'title'>; send: Send }): Uploads {
  const { api, send } = options
  const listeners = new Set<() => void>()
  const plans = new Map<string, PlannedUpload<File>>()
  const running = new Map<string, AbortController>()
  let items: readonly UploadItem[] = []
  let count = 0

  function set(next: readonly UploadItem[]): void {
    items = next
    for (const listener of listeners) listener()
  }

  function change(key: string, fields: Partial<UploadItem>): void {
    set(items.map((item) => (item.key === key ? { ...item, ...fields } : item)))
  }

  function startNext(): void {
    for (const { key, state } of items) {
      if (running.size >= AT_ONCE_MAX) return
      if (state === 'waiting' && !running.has(key)) void run(key)
    }
  }

  async function run(key: string): Promise<void> {
    const plan = plans.get(key)
    if (plan === undefined) return
    const life = new AbortController()
    running.set(key, life)
    change(key, { state: 'sending', problem: null })
    const problem = await sendAll(key, plan, life.signal)
    running.delete(key)
    if (!life.signal.aborted) change(key, problem === null ? { state: 'done' } : { state: 'failed', problem })
    startNext()
  }

  /** Captions go first: the film is what closes a title for uploads. */
  async function sendAll(key: string, plan: PlannedUpload<File>, signal: AbortSignal): Promise<Problem | null> {
    const titleId = await titleFor(key, plan)
    if (typeof titleId !== 'string') return titleId
    for (const captions of plan.captions) {
      const problem = await sendOne(captions.file, toIntent(titleId, captions), signal, () => undefined)
      if (problem !== null) return problem
    }
    return sendOne(plan.film, { role: 'film', titleId }, signal, (sentBytes) => change(key, { sentBytes }))
  }

  /** The title a retry or an interrupted upload of this file was for, while it still takes one; else a new title. */
  async function titleFor(key: string, plan: PlannedUpload<File>): Promise<string | Problem> {
    const begun = items.find((item) => item.key === key)?.titleId ?? (await send.interrupted(plan.film))
    const known = begun === null ? null : await api.title(begun)
    if (known?.ok && known.value.state === 'uploading') {
      change(key, { titleId: known.value.id, name: known.value.name })
      return known.value.id
    }
    const created = await api.createTitle({ name: plan.name, description: '' })
    if (!created.ok) return created.problem
    change(key, { titleId: created.value.id })
    return created.value.id
  }

  function sendOne(
    file: File,
    intent: Intent,
    signal: AbortSignal,
    onProgress: (sentBytes: number) => void,
  ): Promise<Problem | null> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(null)
      const sending = send.start(file, intent, { onProgress, onDone: () => resolve(null), onFailed: resolve })
      signal.addEventListener('abort', () => {
        sending.abort()
        resolve(null)
      })
    })
  }

  return {
    items: () => items,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    add(planned) {
      const added = planned.map((plan) => {
        count += 1
        const key = `upload-${count}`
        plans.set(key, plan)
        return toItem(key, plan)
      })
      set([...items, ...added])
      startNext()
    },
    retry(key) {
      change(key, { state: 'waiting', problem: null })
      startNext()
    },
    remove(key) {
      running.get(key)?.abort()
      plans.delete(key)
      set(items.filter((item) => item.key !== key))
      startNext()
    },
  }
}

function toItem(key: string, { name, film }: PlannedUpload<File>): UploadItem {
  const { name: fileName, size: bytes } = film
  return { key, name, fileName, bytes, sentBytes: 0, state: 'waiting', titleId: null, problem: null }
}

function toIntent(titleId: string, { language, label }: CaptionsFile<File>): Intent {
  return { role: 'captions', titleId, language, label }
}
