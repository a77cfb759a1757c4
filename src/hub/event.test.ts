import { expect, test } from 'bun:test'
import type { CloudEvent } from '../contracts/index.ts'
import { Fault } from '../kernel/index.ts'
import { decodeEvent, encodeEvent, toEvent } from './event.ts'
import { numbered, titleIdOf } from './testing.ts'

const faultOf = (act: () => unknown): Fault => {
  try {
    act()
  } catch (error) {
    if (error instanceof Fault) return error
  }
  throw new Error('expected a Fault')
}
const encode = (value: unknown) => ({ value: Buffer.from(JSON.stringify(value)) })

test('an event survives the log as a CloudEvent, without what its schema does not know', () => {
  const titleId = titleIdOf(7)
  const data = { titleId, reason: 'rights', secret: 'x' }
  const event = toEvent('tentpole.title.withdrawn.v1', titleId, data, { source: 'control', id: 'e1', nowMs: 0 })
  expect(decodeEvent({ value: encodeEvent(event as CloudEvent) })).toEqual({
    specversion: '1.0',
    id: 'e1',
    source: 'control',
    type: 'tentpole.title.withdrawn.v1',
    subject: titleId,
    time: '1970-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { titleId, reason: 'rights' },
  })
})

test('a bad event is refused with the path of every field at fault', () => {
  const fault = faultOf(() =>
    toEvent(
      'tentpole.title.progress.v1',
      titleIdOf(1),
      { titleId: 'nope', percent: 120, stages: [{ name: 'encode', done: -1, total: 1 }] },
      { source: 't' },
    ),
  )
  expect(fault.code).toBe('event-invalid')
  for (const path of ['data.titleId', 'data.percent', 'data.stages.0.done']) expect(fault.message).toContain(path)
  expect((fault.detail['errors'] as unknown[]).length).toBe(3)
})

const { data: _, ...envelope } = numbered(1, 1)
const unreadable: readonly [string, { value: Uint8Array }, string, string][] = [
  ['no JSON', { value: Buffer.from('{') }, 'event-invalid', 'CloudEvent as JSON'],
  ['no UTF-8', { value: Buffer.from([0x22, 0xff, 0x22]) }, 'event-invalid', 'CloudEvent as JSON'],
  ['a list', encode([]), 'event-invalid', 'JSON object'],
  ['no id', encode({ ...envelope, id: '' }), 'event-invalid', 'id:'],
  ['another version', encode({ ...envelope, specversion: '0.3' }), 'event-invalid', 'specversion'],
  ['no data', encode(envelope), 'event-invalid', 'data'],
  [
    'its data elsewhere',
    encode({ ...envelope, dataref: 'claims/x', datasize: 1, datadigest: `sha-256=${'0'.repeat(64)}` }),
    'event-invalid',
    'a reference to claims/x',
  ],
  ['a type of a newer release', encode({ ...envelope, type: 'tentpole.title.praised.v9' }), 'event-unknown', 'praised'],
  ['a name every object has', encode({ ...envelope, type: 'toString' }), 'event-unknown', 'toString'],
]
for (const [name, record, code, words] of unreadable) {
  test(`a record with ${name} is ${code}`, () => {
    const fault = faultOf(() => decodeEvent(record))
    expect(fault.code).toBe(code)
    expect(fault.message).toContain(words)
  })
}
