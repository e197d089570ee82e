// What the playground takes from D3, and nothing else.
export { ticks } from "d3-array";
export { drag } from "d3-drag";
export { pointer, select } from "d3-selection";
