// Colours as three numbers, read from the theme's variables and from the palette.

function mix(one, other, share) {
  return one.map((value, k) => Math.round(share * value + (1 - share) * other[k]));
}

function parse(color) {
  const hex = color.trim();
  if (hex.startsWith("#")) return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  return (hex.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
}

const css = (rgb, alpha = 1) => `rgba(${rgb.join(",")},${alpha})`;
