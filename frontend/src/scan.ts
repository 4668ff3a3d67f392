// A square code on a photo or a picture, read in the browser: the picture goes nowhere.
import decodeQR from "qr/decode.js";

// Large enough for a code that fills a third of a photo; small enough for an old phone.
const SIDES_MAX = [1600, 900] as const;

/** Return what the code on the picture says, or null where none can be read. */
export async function scanPicture(file: Blob): Promise<string | null> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return null;
  }
  try {
    for (const most of SIDES_MAX) {
      const found = decoded(picture, most);
      if (found !== null) return found;
    }
    return null;
  } finally {
    picture.close();
  }
}

function decoded(picture: ImageBitmap, most: number): string | null {
  const scale = Math.min(1, most / Math.max(picture.width, picture.height));
  const [width, height] = [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))];
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(picture, 0, 0, width, height);
  try {
    return decodeQR(context.getImageData(0, 0, width, height));
  } catch {
    return null;
  }
}
