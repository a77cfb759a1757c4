import { Fault } from '../../kernel/index.ts'
import type { LogAppend, LogStart } from '../log/port.ts'
import type { BatchResult, Row, SqlValue, Statement } from '../tables/port.ts'
import { createReader, createWriter, type Reader, type Writer } from './codec.ts'

/** The first byte of a call says what is asked for. */
export const OPERATION = {
  append: 1,
  read: 2,
  subscribe: 3,
  beats: 4,
  commit: 5,
  bounds: 6,
  query: 7,
  batch: 8,
  listen: 9,
  trim: 10,
} as const

export type AppendCall = { readonly topic: string; readonly records: readonly LogAppend[] }
export type AppendAnswer = { readonly offsets: readonly number[] } | { readonly fault: Fault }

/** Several callers' appends in one message; each has an answer of its own. */
export function encodeAppends(appends: readonly AppendCall[], bytes: number): Uint8Array {
  const writer = createWriter(bytes + 64 * appends.length).u8(OPERATION.append)
  for (const { topic, records } of appends) {
    writer.text(topic).u32(records.length)
    for (const record of records) writer.record(record)
  }
  return writer.done()
}

export function decodeAppends(reader: Reader): AppendCall[] {
  const appends: AppendCall[] = []
  while (reader.more()) {
    const topic = reader.text()
    const count = reader.u32()
    appends.push({ topic, records: Array.from({ length: count }, () => reader.record()) })
  }
  return appends
}

export function encodeAppendAnswers(answers: readonly AppendAnswer[]): Uint8Array {
  const writer = createWriter(32 * answers.length)
  for (const answer of answers) {
    if ('fault' in answer) {
      writeFault(writer.u8(1), answer.fault)
    } else {
      writer.u8(0).u32(answer.offsets.length)
      for (const offset of answer.offsets) writer.f64(offset)
    }
  }
  return writer.done()
}

export function decodeAppendAnswers(payload: Uint8Array): AppendAnswer[] {
  const reader = createReader(payload)
  const answers: AppendAnswer[] = []
  while (reader.more()) {
    if (reader.u8() === 1) answers.push({ fault: readFault(reader) })
    else {
      const count = reader.u32()
      answers.push({ offsets: Array.from({ length: count }, () => reader.f64()) })
    }
  }
  return answers
}

function writeFault(writer: Writer, fault: Fault): Writer {
  return writer.text(fault.code).text(fault.message).text(JSON.stringify(fault.detail))
}

function readFault(reader: Reader): Fault {
  const code = reader.text()
  const message = reader.text()
  return new Fault(code, message, { detail: JSON.parse(reader.text()) as Record<string, unknown> })
}

export type SubscribeCall = {
  /** Chosen by the client, so that heartbeats can name the subscription. */
  readonly client: string
  readonly id: number
  readonly topic: string
  readonly group: string | null
  readonly start: LogStart
}

export function encodeSubscribe({ client, id, topic, group, start }: SubscribeCall): Uint8Array {
  return createWriter()
    .u8(OPERATION.subscribe)
    .text(client)
    .u32(id)
    .text(topic)
    .text(JSON.stringify({ group, start }))
    .done()
}

export function decodeSubscribe(reader: Reader): SubscribeCall {
  const client = reader.text()
  const id = reader.u32()
  const topic = reader.text()
  const { group, start } = JSON.parse(reader.text()) as { group: string | null; start: LogStart }
  return { client, id, topic, group, start }
}

/** How far a subscription has come, as its engine sees it. */
export type Beat = { readonly id: number; readonly next: number; readonly end: number }

export function encodeBeats(beats: readonly Beat[]): Uint8Array {
  const writer = createWriter(20 * beats.length)
  for (const { id, next, end } of beats) writer.u32(id).f64(next).f64(end)
  return writer.done()
}

export function decodeBeats(payload: Uint8Array): Beat[] {
  const reader = createReader(payload)
  const beats: Beat[] = []
  while (reader.more()) beats.push({ id: reader.u32(), next: reader.f64(), end: reader.f64() })
  return beats
}

export function writeStatement(writer: Writer, { sql, parameters = [], expectRows }: Statement): Writer {
  writer.text(sql).u32(parameters.length)
  for (const parameter of parameters) writer.value(parameter)
  return expectRows === undefined ? writer.u8(0) : writer.u8(1).f64(expectRows)
}

export function readStatement(reader: Reader): Statement {
  const sql = reader.text()
  const count = reader.u32()
  const parameters = Array.from({ length: count }, () => reader.value())
  return reader.u8() === 0 ? { sql, parameters } : { sql, parameters, expectRows: reader.f64() }
}

export function encodeBatch(statements: readonly Statement[], notify: readonly string[]): Uint8Array {
  const writer = createWriter(1024).u8(OPERATION.batch).text(JSON.stringify(notify))
  for (const statement of statements) writeStatement(writer, statement)
  return writer.done()
}

export function decodeBatch(reader: Reader): { statements: Statement[]; notify: string[] } {
  const notify = JSON.parse(reader.text()) as string[]
  const statements: Statement[] = []
  while (reader.more()) statements.push(readStatement(reader))
  return { statements, notify }
}

/** Rows of one statement: all have its columns. */
export function writeRows(writer: Writer, rows: readonly Row[]): Writer {
  const columns = Object.keys(rows[0] ?? {})
  writer.u32(rows.length).text(JSON.stringify(columns))
  for (const row of rows) for (const column of columns) writer.value(row[column] ?? null)
  return writer
}

export function readRows(reader: Reader): Row[] {
  const count = reader.u32()
  const columns = JSON.parse(reader.text()) as string[]
  return Array.from({ length: count }, () => {
    const row: Record<string, SqlValue> = {}
    for (const column of columns) row[column] = reader.value()
    return row
  })
}

export function encodeBatchResult(result: BatchResult): Uint8Array {
  const writer = createWriter(1024)
  if (!result.ok) return writer.u8(0).text(result.code).u32(result.statement).text(result.message).done()
  writer.u8(1)
  for (const { changes, rows } of result.results) writeRows(writer.u32(changes), rows)
  return writer.done()
}

export function decodeBatchResult(payload: Uint8Array): BatchResult {
  const reader = createReader(payload)
  if (reader.u8() === 0) {
    // Written by `encodeBatchResult` of the same build.
    const code = reader.text() as 'unexpected-rows' | 'constraint'
    return { ok: false, code, statement: reader.u32(), message: reader.text() }
  }
  const results: { changes: number; rows: Row[] }[] = []
  while (reader.more()) {
    const changes = reader.u32()
    results.push({ changes, rows: readRows(reader) })
  }
  return { ok: true, results }
}
