const pad = require('left-pad');
const { upperCase } = require('lodash');

module.exports.onActionCreated = ({ action }) => {
  logger.info(`${upperCase('number')} ${pad(action.customFields.number, 6, '0')}`);
  done();
};
