import { expect, test } from 'bun:test'
import { toCommand } from './keys.ts'

const press = (key: string, held: Partial<Record<'alt' | 'ctrl' | 'meta', boolean>> = {}) => ({
  key,
  alt: false,
  ctrl: false,
  meta: false,
  ...held,
})

test.each([
  [' ', null, { type: 'toggle' }],
  ['K', null, { type: 'toggle' }],
  ['f', 'button', { type: 'fullscreen' }],
  ['m', 'slider', { type: 'mute' }],
  ['c', null, { type: 'captions' }],
  ['ArrowLeft', null, { type: 'skip', ms: -10_000 }],
  ['ArrowRight', 'button', { type: 'skip', ms: 10_000 }],
  ['ArrowUp', null, { type: 'volume', by: 0.05 }],
  [' ', 'button', null],
  ['ArrowRight', 'slider', null],
  ['ArrowDown', 'menu', null],
  ['f', 'menu', null],
  ['x', null, null],
  ['toString', null, null],
] as const)('%p on %p', (key, focused, expected) => {
  expect(toCommand(press(key), focused)).toEqual(expected)
})

test('the browser’s own shortcuts stay the browser’s', () => {
  for (const held of ['alt', 'ctrl', 'meta'] as const) expect(toCommand(press('f', { [held]: true }), null)).toBeNull()
})
