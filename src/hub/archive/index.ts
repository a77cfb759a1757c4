export { type Archiver, type ArchiverOptions, createArchiver } from './archiver.ts'
export { type ArchiveGap, readArchivedTo, readGaps } from './book.ts'
export { type ArchiveLoss, type ArchiveRead, type ArchiveReader, createArchiveReader } from './reader.ts'
export { archiveMigration } from './schema.ts'
