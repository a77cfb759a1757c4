import { createStoreClient } from '../engines/store/index.ts'
import { createPublisher, type Publisher } from '../hub/index.ts'
import { DEFAULT_LIMITS, describeError, Fault, silentLogger } from '../kernel/index.ts'
import { layoutOf } from '../roles/index.ts'
import { findPlatform, type Staff, toFault } from './staff.ts'

/** What is urgent does not wait for control to come back. */
const CONTROL_WAIT_MS = 2_000

export type Telling<T> = {
  /** Of the staff API. */
  readonly path: string
  readonly body: unknown
  /** The same without control: onto the log itself. A repeat must have no further effect, for control may have done it. */
  publish(publisher: Publisher): Promise<T>
}

/** Tells every edge over the log: through control, or, when that does not answer, through this machine's store. Durable when it resolves. */
export async function tellEdges<T>(
  environment: Readonly<Record<string, string | undefined>>,
  telling: Telling<T>,
): Promise<T> {
  const staff = await findPlatform(environment)
  const answer = await askControl(staff, telling)
  return answer === null ? await publishAtStore(staff.home, telling) : answer.value
}

/** Null when control does not answer in time. Faults: the code of the problem that it answered with. */
async function askControl<T>(staff: Staff, { path, body }: Telling<T>): Promise<{ readonly value: T } | null> {
  const asked = fetch(new URL(path, staff.consoleUrl), {
    method: 'POST',
    headers: { ...staff.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CONTROL_WAIT_MS),
  }).then(async (response) => ({ status: response.status, ok: response.ok, text: await response.text() }))
  const answer = await asked.catch(() => null)
  if (answer === null) return null
  if (!answer.ok) throw toFault(answer.status, answer.text)
  return { value: JSON.parse(answer.text) as T } // our own control, of the version that is running
}

async function publishAtStore<T>(home: string, { publish }: Telling<T>): Promise<T> {
  const path = layoutOf(home).storeSocket
  const store = createStoreClient({ path, limits: DEFAULT_LIMITS, logger: silentLogger })
  try {
    return await publish(createPublisher({ log: store.log, source: 'cli' }))
  } catch (cause) {
    const what = `neither control nor the store at ${path} took it: ${describeError(cause)}`
    throw new Fault('unreachable', `${what}; see "tentpole status", then ask again: a repeat has no further effect`, {
      cause,
    })
  } finally {
    await store.close()
  }
}
