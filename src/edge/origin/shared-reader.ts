import type { ChunkWindow } from './chunk-window.ts'
import type { Reread } from './fetched.ts'

export type SharedReader = {
  readonly stream: ReadableStream<Uint8Array>
  /** Hands a piece to a reader that waits for it; nothing for one that is behind: it finds the piece in the window. */
  give(chunk: Uint8Array): void
  /** The body is complete: a hungry reader looks again. */
  wake(): void
  fail(error: Error): void
}

/**
 * One reader of a shared body, at its own pace: it takes the next piece when its client wants one. One that falls
 * behind what is kept goes on from `reread` by itself, or is cut.
 */
export function createSharedReader(options: {
  readonly window: ChunkWindow
  /** The body is complete: what is in the window is all. */
  readonly isComplete: () => boolean
  /** The only reader there will ever be: what it has read is dropped. */
  readonly isAlone: boolean
  readonly reread: Reread | null
  readonly onHungry: () => void
  /** It takes no more shared pieces: read to the end, left, cut, or went on from `reread`. */
  readonly onLeave: (hungry: boolean) => void
  /** Its stream is over: closed, broken or cancelled. */
  readonly onClosed: () => void
}): SharedReader {
  const { window, isComplete, reread } = options
  let sequence = 0
  let offsetBytes = 0
  let isHungry = false
  let hasLeft = false
  let isClosed = false
  let wakeUp = (_chunk: Uint8Array | null): void => {}
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let elsewhere: ReadableStreamDefaultReader<Uint8Array> | null = null

  const leave = (): void => {
    if (hasLeft) return
    hasLeft = true
    options.onLeave(isHungry)
  }
  const close = (act: (into: ReadableStreamDefaultController<Uint8Array>) => void): void => {
    if (isClosed) return
    isClosed = true
    leave()
    if (controller) act(controller)
    options.onClosed()
  }
  const goElsewhere = async (into: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    leave()
    const stream = reread && (await reread(offsetBytes))
    if (!stream) {
      const why = `this reader fell behind what is kept, at byte ${offsetBytes}; read again from there`
      close((own) => own.error(new Error(why)))
      return
    }
    elsewhere = stream.getReader()
    if (isClosed) return await elsewhere.cancel()
    await takeElsewhere(elsewhere, into)
  }
  const takeElsewhere = async (
    from: ReadableStreamDefaultReader<Uint8Array>,
    into: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    try {
      const part = await from.read()
      if (isClosed) return
      if (part.done) close((own) => own.close())
      else into.enqueue(part.value)
    } catch (error) {
      close((own) => own.error(error))
    }
  }
  const waitForMore = (): Promise<Uint8Array | null> => {
    const given = new Promise<Uint8Array | null>((resolve) => {
      wakeUp = resolve
    })
    isHungry = true
    options.onHungry()
    return given
  }
  const take = (chunk: Uint8Array, into: ReadableStreamDefaultController<Uint8Array>): void => {
    sequence += 1
    offsetBytes += chunk.byteLength
    if (options.isAlone) window.dropBefore(sequence)
    into.enqueue(chunk)
  }
  /** One step at the tip of the window; false when there is nothing more to wait for. */
  const takeAtTip = async (into: ReadableStreamDefaultController<Uint8Array>): Promise<boolean> => {
    if (isComplete()) {
      close((own) => own.close())
      return false
    }
    const given = await waitForMore()
    if (given === null) return !hasLeft
    if (!hasLeft) take(given, into)
    return false
  }

  const pull = async (into: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    if (elsewhere) return await takeElsewhere(elsewhere, into)
    while (!hasLeft) {
      const found = window.at(sequence)
      if (found === 'dropped') return await goElsewhere(into)
      if (found !== 'ahead') return take(found, into)
      if (!(await takeAtTip(into))) return
    }
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      pull,
      async cancel(reason) {
        close(() => {})
        wakeUp(null)
        await elsewhere?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    give(chunk) {
      if (!isHungry) return
      isHungry = false
      wakeUp(chunk)
    },
    wake() {
      isHungry = false
      wakeUp(null)
    },
    fail(error) {
      close((own) => own.error(error))
      wakeUp(null)
      elsewhere?.cancel(error).catch(() => {})
    },
  }
}
