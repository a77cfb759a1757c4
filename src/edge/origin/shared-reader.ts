import type { ChunkWindow } from './chunk-window.ts'
import type { Reread } from './fetched.ts'

export type SharedReader = {
  readonly stream: ReadableStream<Uint8Array>
  /** The byte it wants next of what is shared; null when it takes none of that any more. */
  position(): number | null
  /** Hands a piece that begins at `startByte` to a reader that waits for it; one that is behind finds it in the window. */
  give(chunk: Uint8Array, startByte: number): void
  /** The body is complete: a hungry reader looks again. */
  wake(): void
  fail(error: Error): void
}

/** What a reader is made with. */
export type ReaderOptions = {
  readonly window: ChunkWindow
  /** Where in the body it begins. */
  readonly fromByte: number
  /** The body is complete: what is in the window is all. */
  readonly isComplete: () => boolean
  /** The only reader there will ever be: what it has read is dropped. */
  readonly isAlone: boolean
  /** Where one goes on that falls behind what is kept; `end`: it ends there, and whoever reads it knows where else to look. */
  readonly behind: Reread | 'end' | null
  readonly onHungry: () => void
  /** It has read on, from this byte. */
  readonly onTaken: (fromByte: number) => void
  /** It takes no more shared pieces: read to the end, left, cut, or went on elsewhere. */
  readonly onLeave: (hungry: boolean) => void
  /** Its stream is over: closed, broken or cancelled. */
  readonly onClosed: () => void
}

type Into = ReadableStreamDefaultController<Uint8Array>

/** One reader of a shared body, at its own pace: it takes the next piece when its client wants one. */
export function createSharedReader(options: ReaderOptions): SharedReader {
  const { window, isComplete, behind } = options
  let offsetBytes = options.fromByte
  let isHungry = false
  let hasLeft = false
  let isClosed = false
  let wakeUp = (_chunk: Uint8Array | null): void => {}
  let controller: Into | undefined
  let elsewhere: ReadableStreamDefaultReader<Uint8Array> | null = null

  const leave = (): void => {
    if (hasLeft) return
    hasLeft = true
    options.onLeave(isHungry)
  }
  const close = (act: (into: Into) => void): void => {
    if (isClosed) return
    isClosed = true
    leave()
    if (controller) act(controller)
    options.onClosed()
  }
  const goElsewhere = async (into: Into): Promise<void> => {
    if (behind === 'end') {
      close((own) => own.close())
      return
    }
    leave()
    if (!behind?.canServe(offsetBytes, window.firstByte())) {
      const why = `this reader fell behind what is kept, at byte ${offsetBytes}; read again from there`
      close((own) => own.error(new Error(why)))
      return
    }
    elsewhere = behind.open(offsetBytes).getReader()
    await takeElsewhere(elsewhere, into)
  }
  const takeElsewhere = async (from: ReadableStreamDefaultReader<Uint8Array>, into: Into): Promise<void> => {
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
  const take = (chunk: Uint8Array, into: Into): void => {
    const before = offsetBytes
    offsetBytes += chunk.byteLength
    if (options.isAlone) window.dropBefore(offsetBytes)
    into.enqueue(chunk)
    options.onTaken(before)
  }
  /** One step at the tip of the window; false when there is nothing more to wait for. */
  const takeAtTip = async (into: Into): Promise<boolean> => {
    if (isComplete()) {
      close((own) => own.close())
      return false
    }
    const given = await waitForMore()
    if (given === null) return !hasLeft
    if (!hasLeft) take(given, into)
    return false
  }

  const pull = async (into: Into): Promise<void> => {
    if (elsewhere) return await takeElsewhere(elsewhere, into)
    while (!hasLeft) {
      const found = window.at(offsetBytes)
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
    position: () => (hasLeft ? null : offsetBytes),
    give(chunk, startByte) {
      if (!isHungry) return
      isHungry = false
      const skipped = offsetBytes - startByte
      const isFor = skipped >= 0 && skipped < chunk.byteLength
      wakeUp(isFor ? chunk.subarray(skipped) : null)
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
