/** What kind of document or photo a file is: by what the browser says, else by its first bytes, else by its name. */
const kinds = [
  { type: 'application/pdf', begins: [0x25, 0x50, 0x44, 0x46, 0x2d], names: /\.pdf$/i },
  { type: 'image/png', begins: [0x89, 0x50, 0x4e, 0x47], names: /\.png$/i },
  { type: 'image/jpeg', begins: [0xff, 0xd8, 0xff], names: /\.jpe?g$/i },
  { type: 'image/webp', begins: [0x52, 0x49, 0x46, 0x46], names: /\.webp$/i },
] as const

/** Some pickers, on Android above all, give a file without a type, or with one that says nothing. */
const unknown = ['', 'application/octet-stream', 'binary/octet-stream']

export async function fileType(file: File): Promise<string | null> {
  if (!unknown.includes(file.type)) return kinds.find((kind) => kind.type === file.type)?.type ?? null
  const found = await file
    .slice(0, 8)
    .arrayBuffer()
    .then(
      (start) => {
        const bytes = new Uint8Array(start)
        return kinds.find((kind) => kind.begins.every((byte, at) => bytes[at] === byte)) ?? null
      },
      () => kinds.find((kind) => kind.names.test(file.name)) ?? null,
    )
  return found?.type ?? null
}
