import { expect, test } from 'bun:test'
import type { Result } from '../../common/problem.ts'
import { createResources } from './resources.ts'

const failure: Result<string> = { ok: false, problem: { status: 503, code: 'busy', detail: 'busy' } }

test('an answer stays in sight while a newer one is asked for, and when that fails', async () => {
  const resources = createResources()
  expect(resources.read('home')).toEqual({ value: null, problem: null, loading: true })
  await resources.load('home', async () => ({ ok: true, value: 'first' }))
  expect(resources.read('home')).toEqual({ value: 'first', problem: null, loading: false })
  const second = resources.load('home', async () => failure)
  expect(resources.read('home')).toEqual({ value: 'first', problem: null, loading: true })
  await second
  expect(resources.read('home')).toMatchObject({ value: 'first', problem: { code: 'busy' }, loading: false })
})

test('questions asked at once are asked once; later ones anew', async () => {
  const resources = createResources()
  let asked = 0
  const ask = async (): Promise<Result<number>> => {
    asked += 1
    return { ok: true, value: asked }
  }
  await Promise.all([resources.load('a', ask), resources.load('a', ask)])
  expect(asked).toBe(1)
  await resources.load('a', ask)
  expect(resources.read<number>('a').value).toBe(2)
})

test('readers hear of changes until they leave', async () => {
  const resources = createResources()
  let heard = 0
  const leave = resources.subscribe(() => {
    heard += 1
  })
  await resources.load('a', async () => ({ ok: true, value: 1 }))
  expect(heard).toBeGreaterThan(0)
  const before = heard
  leave()
  await resources.load('a', async () => ({ ok: true, value: 2 }))
  expect(heard).toBe(before)
})
