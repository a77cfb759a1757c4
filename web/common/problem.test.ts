import { expect, test } from 'bun:test'
import { readAnswer, toProblem, unreachable } from './problem.ts'

test('an answer gives its body', async () => {
  expect(await readAnswer<{ a: number }>(Response.json({ a: 1 }))).toEqual({ ok: true, value: { a: 1 } })
})

test('a problem gives its code and detail', async () => {
  const body = { title: 'Gone', code: 'title-withdrawn', detail: 'This title was withdrawn.' }
  expect(await readAnswer(Response.json(body, { status: 410 }))).toEqual({
    ok: false,
    problem: { status: 410, code: 'title-withdrawn', detail: 'This title was withdrawn.' },
  })
})

test('an answer that is not JSON is a problem, even with status 200', async () => {
  const answer = await readAnswer(new Response('<html>'))
  expect(answer.ok).toBe(false)
})

test('a bare status is said in words', () => {
  expect(toProblem(502, undefined)).toEqual({
    status: 502,
    code: 'http-502',
    detail: 'The server answered with status 502.',
  })
})

test('lateness is told from silence', () => {
  expect(unreachable(new DOMException('late', 'TimeoutError')).code).toBe('timeout')
  expect(unreachable(new TypeError('Failed to fetch')).code).toBe('unreachable')
})
