// When a task is done. Each kind looks at the settings and the walk; what it asks for in
// numbers is the task's own.

const tasks = (() => {
  // A walk of the course's two points, from its start.
  const isCourse = ({ x, t, a, b }) => `${x}` === "1,2" && `${t}` === "3,5" && a === 1 && b === 0;
  const isPlain = ({ optimizer, loss, reset }) => optimizer === "sgd" && loss === "mean" && reset;

  const kinds = {
    // A single step that brings the error under `error`.
    step: (task, settings, rows) =>
      isCourse(settings) && isPlain(settings) && rows.length === 2 && rows[1].e < task.error,

    // The error under `error` within `steps` steps.
    under: (task, settings, rows) =>
      isCourse(settings) && rows.slice(1, task.steps + 1).some((row) => row.e < task.error),

    // Plain steps that end `times` as high as they began.
    diverge: (task, settings, rows) =>
      isPlain(settings) &&
      rows.length > 1 &&
      rows.at(-1).e > task.times * Math.max(rows[0].e, 1e-9),

    // Ground that bends `times` as strongly across as along, and is walked over.
    slow: (task, settings, rows) => {
      const { across, along } = descent.ground(settings).eigenvalues;
      return across >= task.times * along && rows.length > task.steps;
    },

    // With the sum, the first step that the mean takes at the rate `lr`.
    sum: (task, settings, rows) => {
      if (!isCourse(settings) || settings.optimizer !== "sgd" || settings.loss !== "sum")
        return false;
      const [, wanted] = descent.walk({ ...settings, loss: "mean", lr: task.lr, steps: 1 });
      const near = (name) => Math.abs(rows[1][name] - wanted[name]) < 1e-9;
      return rows.length > 1 && near("a") && near("b");
    },

    // Without a reset, the error under `error` and later over `again`.
    swing: (task, settings, rows) => {
      if (settings.reset) return false;
      const low = rows.findIndex((row) => row.e < task.error);
      return low > 0 && rows.slice(low).some((row) => row.e > task.again);
    },
  };

  const isDone = (task, settings, rows) => kinds[task.kind](task, settings, rows);

  return { isDone };
})();
