import { expect, test } from 'bun:test'
import { shareNext } from './share-next.ts'

function createWork() {
  const ends: ((outcome: 'good' | 'bad') => void)[] = []
  const shared = shareNext(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length
        ends.push((outcome) => (outcome === 'good' ? resolve(number) : reject(new Error(`run ${number}`))))
      }),
  )
  return { ends, shared }
}

test('who asks during a run shares the next one, and there is never more than one', async () => {
  const { ends, shared } = createWork()
  const first = shared()
  const others = Array.from({ length: 50 }, () => shared())
  expect(ends.length).toBe(1)
  ends[0]?.('good')
  expect(await first).toBe(0)
  await Promise.resolve()
  expect(ends.length).toBe(2)
  const later = shared()
  ends[1]?.('good')
  expect(new Set(await Promise.all(others))).toEqual(new Set([1]))
  await Promise.resolve()
  ends[2]?.('good')
  expect(await later).toBe(2)
  const alone = shared()
  expect(ends.length).toBe(4)
  ends[3]?.('good')
  expect(await alone).toBe(3)
})

test('a run that fails fails for those who shared it, and the next is another', async () => {
  const { ends, shared } = createWork()
  const first = shared()
  const second = shared()
  ends[0]?.('bad')
  expect(await first.catch(String)).toBe('Error: run 0')
  await Promise.resolve()
  ends[1]?.('good')
  expect(await second).toBe(1)
})
