import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { Fault } from '../../kernel/index.ts'

/** Source films as files of this machine, fetched once for all tasks that read them at a time; bounded. */
export type Sources = {
  /** `release` must be called once the file is no longer read. Fault `source-missing`. */
  acquire(objectKey: string): Promise<{ readonly path: string; release(): void }>
  /** Forgets every film that nobody reads. */
  sweep(): Promise<void>
}

type Held = { readonly path: string; readonly ready: Promise<boolean>; readers: number }

export function createSources(options: { objects: ObjectsPort; directory: string; filmsMax: number }): Sources {
  const { objects, directory, filmsMax } = options
  const films = new Map<string, Held>()
  let named = 0

  const fetchFilm = async (objectKey: string, path: string): Promise<boolean> => {
    await mkdir(directory, { recursive: true })
    return objects.toFile(objectKey, path)
  }
  const drop = async (objectKey: string, held: Held): Promise<void> => {
    films.delete(objectKey)
    await rm(held.path, { force: true })
  }
  const dropIdle = async (keep: number): Promise<void> => {
    const idle = [...films].filter(([, held]) => held.readers === 0)
    const excess = films.size - keep
    await Promise.all(idle.slice(0, Math.max(0, excess)).map(([key, held]) => drop(key, held)))
  }

  return {
    async acquire(objectKey) {
      const known = films.get(objectKey)
      const path = known?.path ?? join(directory, `film-${named++}`)
      const held = known ?? { path, ready: fetchFilm(objectKey, path), readers: 0 }
      held.readers += 1
      // Set again, so that the map's order is that of use.
      films.delete(objectKey)
      films.set(objectKey, held)
      const found = await held.ready.catch((cause: unknown) => {
        films.delete(objectKey)
        throw cause
      })
      if (!found) {
        films.delete(objectKey)
        throw new Fault('source-missing', `the film ${objectKey} is not in the object store; upload it again`)
      }
      await dropIdle(filmsMax)
      let released = false
      return {
        path: held.path,
        release() {
          if (!released) held.readers -= 1
          released = true
        },
      }
    },
    sweep: () => dropIdle(0),
  }
}
