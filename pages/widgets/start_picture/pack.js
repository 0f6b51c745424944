// Unpacks what unlearn_core/views/start/pack.py packs.

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array };

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return read(await new Response(stream).arrayBuffer(), 0);
}

// What is not compressed is read at once. Numbers are read at multiples of their size alone, so it may have to be copied.
function read(buffer, start) {
  const length = new DataView(buffer).getUint32(start, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start + 4, length)));
  header.array = ({ at, type, shape }) => new ARRAYS[type](buffer, start + 4 + length + at, shape.reduce((a, b) => a * b, 1));
  return header;
}

// The arrays of a scene, unpacked when it is first shown.
function develop(header, scene) {
  if (scene.developed) return scene;
  scene.places = header.array(scene.points);
  scene.wrong = header.array(scene.corrupted);
  for (const film of Object.values(scene.films)) {
    const size = header.grid * header.grid;
    const cells = header.array(film.ground).slice();
    for (let k = size; k < cells.length; k++) cells[k] += cells[k - size];
    film.cells = cells;
    film.bits = header.array(film.right);
    film.bytes = film.right.shape[1];
  }
  scene.developed = true;
  return scene;
}

function isRight(film, frame, k) {
  return (film.bits[frame * film.bytes + (k >> 3)] >> (k & 7)) & 1;
}
