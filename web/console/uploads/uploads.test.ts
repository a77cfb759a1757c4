import { expect, test } from 'bun:test'
import type { StaffTitle, TitleState } from '../../../src/contracts/index.ts'
import type { Problem, Result } from '../../common/problem.ts'
import { type PlannedUpload, planUploads } from './plan.ts'
import type { Send } from './send.ts'
import { createUploads, type Uploads } from './uploads.ts'

const file = (name: string): File => new File(['12345'], name)
const plan = (...names: string[]): readonly PlannedUpload<File>[] => planUploads(names.map(file)).uploads
const lost: Problem = { status: 0, code: 'unreachable', detail: 'lost' }

/** A platform that notes what reaches it; `outcomes` holds what becomes of each file in turn, done when there is none. */
function open(given: { outcomes?: (Problem | null)[]; interrupted?: string; state?: TitleState; hold?: boolean } = {}) {
  const log: string[] = []
  const held: (() => void)[] = []
  const titles = new Map<string, StaffTitle>()
  if (given.interrupted !== undefined) {
    titles.set(given.interrupted, {
      id: given.interrupted,
      name: 'Begun',
      state: given.state ?? 'uploading',
    } as StaffTitle)
  }
  const send: Send = {
    interrupted: async () => given.interrupted ?? null,
    start(sent, intent, listener) {
      log.push(`${intent.role} ${sent.name} for ${intent.titleId}`)
      const end = (): void => {
        const problem = given.outcomes?.shift() ?? null
        listener.onProgress(sent.size)
        if (problem === null) listener.onDone()
        else listener.onFailed(problem)
      }
      if (given.hold) held.push(end)
      else queueMicrotask(end)
      return { abort: () => log.push(`aborted ${sent.name}`) }
    },
  }
  const answer = (title: StaffTitle | undefined): Result<StaffTitle> =>
    title === undefined ? { ok: false, problem: { status: 404, code: 'x', detail: 'x' } } : { ok: true, value: title }
  const uploads = createUploads({
    send,
    api: {
      title: async (id) => answer(titles.get(id)),
      createTitle: async ({ name }) => {
        const title = { id: `t${titles.size + 1}`, name, state: 'uploading' } as StaffTitle
        titles.set(title.id, title)
        return answer(title)
      },
    },
  })
  return { uploads, log, held }
}

const until = (uploads: Uploads, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (holds()) resolve()
    }
    uploads.subscribe(check)
    check()
  })
const states = (uploads: Uploads): string[] => uploads.items().map((item) => item.state)

test('a title is made, captions go first, the film closes it', async () => {
  const { uploads, log } = open()
  uploads.add(plan('My_film.mp4', 'My_film.en.srt'))
  await until(uploads, () => states(uploads)[0] === 'done')
  expect(log).toEqual(['captions My_film.en.srt for t1', 'film My_film.mp4 for t1'])
  expect(uploads.items()[0]).toMatchObject({ name: 'My film', titleId: 't1', sentBytes: 5, bytes: 5 })
})

test('a retry goes on with the same title', async () => {
  const { uploads, log } = open({ outcomes: [lost] })
  uploads.add(plan('a.mp4'))
  await until(uploads, () => states(uploads)[0] === 'failed')
  expect(uploads.items()[0]?.problem).toEqual(lost)
  uploads.retry(uploads.items()[0]?.key ?? '')
  await until(uploads, () => states(uploads)[0] === 'done')
  expect(log).toEqual(['film a.mp4 for t1', 'film a.mp4 for t1'])
})

test('a file dropped again after a reload goes on with its title, unless that takes no film any more', async () => {
  const open1 = open({ interrupted: 'old' })
  open1.uploads.add(plan('a.mp4'))
  await until(open1.uploads, () => states(open1.uploads)[0] === 'done')
  expect(open1.log).toEqual(['film a.mp4 for old'])
  expect(open1.uploads.items()[0]?.name).toBe('Begun')
  const open2 = open({ interrupted: 'old', state: 'published' })
  open2.uploads.add(plan('a.mp4'))
  await until(open2.uploads, () => states(open2.uploads)[0] === 'done')
  expect(open2.log).toEqual(['film a.mp4 for t2'])
})

test('three go at once, the rest wait their turn', async () => {
  const { uploads, held } = open({ hold: true })
  uploads.add(plan('a.mp4', 'b.mp4', 'c.mp4', 'd.mp4'))
  await until(uploads, () => uploads.items().filter((item) => item.titleId !== null).length === 3)
  expect(states(uploads)).toEqual(['sending', 'sending', 'sending', 'waiting'])
  while (held.length < 3) await Promise.resolve()
  held[0]?.()
  await until(uploads, () => states(uploads)[3] === 'sending')
  expect(states(uploads)[0]).toBe('done')
})

test('one that is removed is aborted and makes room', async () => {
  const { uploads, log, held } = open({ hold: true })
  uploads.add(plan('a.mp4'))
  await until(uploads, () => uploads.items()[0]?.titleId !== null)
  while (held.length < 1) await Promise.resolve()
  uploads.remove(uploads.items()[0]?.key ?? '')
  expect(uploads.items()).toEqual([])
  expect(log).toEqual(['film a.mp4 for t1', 'aborted a.mp4'])
})
