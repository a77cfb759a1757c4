/** What the promise settles to, or a rejection as soon as the signal is aborted: whoever does not look at it is not waited for. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    const stop = (): void => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort)
    promise.finally(stop).then(resolve, reject)
    if (signal.aborted) onAbort()
  })
}
