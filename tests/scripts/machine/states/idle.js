module.exports = (command) => (command === 'start' ? 'running' : 'idle');
