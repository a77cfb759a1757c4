export type { FieldError, UploadIntent } from './metadata.ts'
export type { UploadRefusal } from './refusal.ts'
export type { CompleteUpload, TitleRefusal, UploadTitles } from './settle.ts'
export { createUploads, type Uploads } from './uploads.ts'
