/** Photos are made smaller before they are sent: those of phones have up to 15 MB, and the server keeps 2,000 pixels a side. */
export const longestSide = 2000
const quality = 0.85

/** Width and height within the longest side; a small photo is not enlarged. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, longestSide / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/**
 * Return the photo upright as JPEG, without what the camera wrote into it. What this browser cannot read, such as HEIC in most of
 * them, is returned as it is: the server reads it.
 */
export async function shrink(file: File): Promise<Blob> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return file
  }
  try {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, fitted(bitmap.width, bitmap.height))
    const context = canvas.getContext('2d')
    if (!context) return file
    context.fillStyle = '#fff'
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    const jpeg = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
    return jpeg ?? file
  } finally {
    bitmap.close()
  }
}
