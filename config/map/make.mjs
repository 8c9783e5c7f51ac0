// Makes world.svg of Natural Earth: README.md beside this file says how to run it.
import { readFileSync, writeFileSync } from 'node:fs';
import { feature } from 'topojson-client';
const topo = JSON.parse(readFileSync('node_modules/world-atlas/land-110m.json'));
const land = feature(topo, topo.objects.land);
const TOP = 80, BOTTOM = -57, SCALE = 2;
const polygons = (land.features ?? [land]).flatMap(f => f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates);
let d = '';
// A ring that crosses 180° goes on past the edge of the map, and is drawn at the other edge too.
const rings = polygons.flat().flatMap(ring => {
  let turn = 0;
  const whole = ring.map(([lon, lat], i) => {
    const step = i > 0 ? lon - ring[i-1][0] : 0;
    if (Math.abs(step) > 180) turn -= 360 * Math.sign(step);
    return [lon + turn, lat];
  });
  const turned = by => whole.map(([lon, lat]) => [lon + by, lat]);
  const seen = shape => shape.some(([lon]) => lon > -180 && lon < 180);
  return [-360, 0, 360].map(turned).filter(seen);
});
for (const ring of rings) {
  if (ring.every(([, lat]) => lat < BOTTOM)) continue;
  let shape = ring.map(([lon, lat]) => [Math.round((lon + 180) * SCALE), Math.round((TOP - Math.max(Math.min(lat, TOP), BOTTOM)) * SCALE)]);
  shape = shape.filter((p, i) => i === 0 || p[0] !== shape[i-1][0] || p[1] !== shape[i-1][1]);
  // Points on a straight line say nothing.
  shape = shape.filter((p, i) => { const a = shape[i-1], b = shape[i+1]; return !a || !b || (p[0]-a[0])*(b[1]-p[1]) !== (b[0]-p[0])*(p[1]-a[1]); });
  if (shape.length > 1 && shape[0][0] === shape.at(-1)[0] && shape[0][1] === shape.at(-1)[1]) shape.pop();
  let area = 0; shape.forEach((p, i) => { const q = shape[(i+1)%shape.length]; area += p[0]*q[1]-q[0]*p[1]; });
  if (Math.abs(area)/2 < 6 || shape.length < 3) continue;
  let [x, y] = shape[0]; d += `M${x} ${y}l`;
  d += shape.slice(1).map(([a, b]) => { const s = `${a-x}${b-y < 0 ? '' : ' '}${b-y}`; x = a; y = b; return s; }).reduce((t, s) => t + (t && !s.startsWith('-') ? ' ' : '') + s, '');
  d += 'z';
}
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${(TOP-BOTTOM)*SCALE}"><path fill="#8793a6" fill-opacity=".38" d="${d}"/></svg>\n`;
writeFileSync('world.svg', svg);
