"""Which files are meant: lists in every encoding, a DICOMDIR, folders that hold folders."""
import struct
import unittest

from support import datasets
from support.base import CommandTest
from support.datasets import element


def record(*components, in_use=b'\xff\xff', nested=b''):
    """An item of the directory record sequence."""
    content = element(0x0004, 0x1400, 'UL', bytes(4)) + element(0x0004, 0x1410, 'US', in_use)
    content += element(0x0004, 0x1420, 'UL', bytes(4)) + element(0x0004, 0x1430, 'CS', b'IMAGE')
    if components:
        content += element(0x0004, 0x1500, 'CS', b'\\'.join(component.encode() for component in components))
    content += nested
    return struct.pack('<HHI', 0xFFFE, 0xE000, len(content)) + content


def dicomdir(*records):
    meta = element(2, 0x0002, 'UI', b'1.2.840.10008.1.3.10') + element(2, 0x0003, 'UI', b'1.2.9')
    meta += element(2, 0x0010, 'UI', b'1.2.840.10008.1.2.1')
    content = b''.join(records)
    return bytes(128) + b'DICM' + meta + element(0x0004, 0x1130, 'CS', b'TEST') + \
        struct.pack('<HH2sxxI', 0x0004, 0x1220, b'SQ', len(content)) + content


class GivenFiles(CommandTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / 'source'
        (self.source / 'sub').mkdir(parents=True)
        self.number = 0

    def instance(self, name):
        self.number += 1
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return datasets.write_instance(path, f'1.2.3.{self.number}')

    def send_here(self, *arguments, **more):
        return self.send('--loopback', '--no-progress', '-v', *arguments, cwd=self.source, **more)

    def assert_stored(self, result, *names, code=0):
        """These and no others."""
        self.assertEqual(result.code, code, result)
        stored = sorted(line.split('] ')[1].split(' (')[0] for line in result.err.splitlines() if '... stored' in line)
        self.assertEqual(stored, sorted(names), result)

    # ---- lists ----

    def test_lists_as_other_systems_write_them(self):
        names = ('a.dcm', 'sub/b.dcm', 'sub/ä €.dcm', 'sub/\U0001f9e0.dcm')
        for name in names:
            self.instance(name)
        unix, dos = '\n'.join(names) + '\n', '\r\n'.join(names) + '\r\n'
        lists = {'plain': unix.encode(), 'no-end': unix.encode()[:-1],
                 'crlf': dos.encode(), 'crlf-no-end': dos.encode()[:-2],
                 'empty-lines': ('\n\r\n' + dos.replace('\r\n', '\r\n\r\n')).encode(),
                 'bom': b'\xef\xbb\xbf' + unix.encode(), 'bom-crlf': b'\xef\xbb\xbf' + dos.encode(),
                 'utf-16': unix.encode('utf-16'), 'utf-16-le': unix.encode('utf-16-le'),
                 'utf-16-be': dos.encode('utf-16-be'), 'utf-16-le-bom': b'\xff\xfe' + dos.encode('utf-16-le'),
                 'utf-16-be-bom': b'\xfe\xff' + unix.encode('utf-16-be')}
        for name, data in lists.items():
            (self.source / name).write_bytes(data)
            with self.subTest(name):
                self.assert_stored(self.send_here('--files-from', name), *names)
                self.assert_stored(self.send_here('--files-from', '-', stdin=data), *names)

    def test_a_list_by_nuls_that_says_nothing_of_it(self):
        """No path holds a NUL: none is lost for want of --null. Letters of UTF-32 are no paths, least of all a dot."""
        self.instance('a.dcm')
        self.instance('b.dcm')
        self.assert_stored(self.send_here('--files-from', '-', stdin=b'a.dcm\0b.dcm\0'), 'a.dcm', 'b.dcm')
        self.assert_stored(self.send_here('--files-from', '-', stdin=b'a.dcm\0b.dcm'), 'a.dcm', 'b.dcm')
        for encoding in ('utf-32', 'utf-32-le', 'utf-32-be'):
            with self.subTest(encoding):
                result = self.send_here('--files-from', '-', stdin='./a.dcm\n'.encode(encoding))
                self.assert_stored(result, code=1)
                self.assertIn('1 failed', result.err + result.out)

    def test_names_that_end_as_lines_do_elsewhere(self):
        """A name may end in CR; what is separated by NULs is nothing but names."""
        self.instance('a.dcm\r')
        self.instance('b\n.dcm')
        self.assert_stored(self.send_here('--files-from', '-', stdin=b'a.dcm\r\n'), 'a.dcm\\r')
        self.assert_stored(self.send_here('--files-from', '-', '--null', stdin=b'a.dcm\r\0b\n.dcm\0'),
                           'a.dcm\\r', 'b\\n.dcm')
        self.assert_stored(self.send_here('--files-from', '-', '--null', stdin=b'\xef\xbb\xbfa.dcm\r'), 'a.dcm\\r')

    def test_a_list_names_what_is_not_there(self):
        self.instance('a.dcm')
        result = self.send_here('--files-from', '-', stdin=b'a.dcm\r\nnowhere.dcm\r\n')
        self.assert_stored(result, 'a.dcm', code=2)
        self.assertIn('nowhere.dcm', result.err)
        self.assert_stored(self.send_here('--files-from', '-', stdin=b''), code=1)
        self.assert_stored(self.send_here('--files-from', '-', stdin=b'\xff\xfe'), code=1)
        self.assert_stored(self.send_here('--files-from', '-', stdin=b'\xff\xfea'), code=1)

    # ---- DICOMDIR ----

    def test_a_dicomdir_is_followed(self):
        """In upper case as it must be, in lower case as media are mounted, with a version, padded, named twice."""
        self.instance('IMAGES/IM1')
        self.instance('images/im2')
        self.instance('Images/Im3.;1')
        self.instance('IMAGES/UNNAMED')
        (self.source / 'DICOMDIR').write_bytes(dicomdir(
            record(), record('IMAGES', 'IM1'), record('IMAGES', 'IM2'), record('IMAGES ', 'IM3 '),
            record('IMAGES', 'IM1'),
            record('IMAGES', 'UNNAMED', in_use=bytes(2)),
            record(nested=struct.pack('<HH2sxxI', 0x0008, 0x1115, b'SQ', 0xFFFFFFFF) +
                   struct.pack('<HHI', 0xFFFE, 0xE000, 18) + element(0x0004, 0x1500, 'CS', b'NESTED    ') +
                   struct.pack('<HHI', 0xFFFE, 0xE0DD, 0))))
        for name in ('images', 'Images'):    # one folder, as on a medium
            for path in (self.source / name).iterdir():
                path.rename(self.source / 'IMAGES' / path.name)
        result = self.send_here('DICOMDIR')
        self.assert_stored(result, 'IMAGES/IM1', 'IMAGES/im2', 'IMAGES/Im3.;1')
        self.assertIn('DICOMDIR (', result.err, 'it is itself accounted for')
        self.assert_stored(self.send_here('+rd', 'DICOMDIR'), 'IMAGES/IM1', 'IMAGES/im2', 'IMAGES/Im3.;1')
        (self.source / 'IMAGES').rename(self.source / 'images')
        self.assert_stored(self.send_here('DICOMDIR'), 'images/IM1', 'images/im2', 'images/Im3.;1')
        result = self.send_here('.', '-r')
        self.assert_stored(result, './images/IM1', './images/im2', './images/Im3.;1', './images/UNNAMED')
        self.assertIn('skipped: a DICOMDIR', result.err, 'where the walk meets it')

    def test_a_dicomdir_reaches_no_further_than_its_folder(self):
        datasets.write_instance(self.folder / 'outside.dcm')
        self.instance('cd/IM1')
        (self.source / 'cd' / 'LINK').symlink_to(self.folder / 'outside.dcm')
        (self.source / 'cd' / 'LINKED').symlink_to(self.folder)
        (self.source / 'cd' / 'FOLDER').mkdir()
        (self.source / 'cd' / 'DICOMDIR').write_bytes(dicomdir(
            record('IM1'), record('..', '..', 'outside.dcm'), record('sub', '..', '..', 'outside.dcm'), record('LINK'),
            record('LINKED', 'outside.dcm'), record('', 'etc', 'hostname'), record('MISSING', 'IM7'), record('FOLDER')))
        result = self.send_here('cd/DICOMDIR')
        self.assert_stored(result, 'cd/IM1', code=2)
        for name in ('cd/../../outside.dcm', 'cd/LINK', 'cd/LINKED/outside.dcm', 'cd/etc/hostname', 'cd/MISSING/IM7',
                     'cd/FOLDER'):
            self.assertIn(name, result.err)
        self.assertIn('outside of its own folder', result.err)
        result = self.send_here('cd/DICOMDIR', '--follow-symlinks')
        self.assert_stored(result, 'cd/IM1', 'cd/LINK', code=2)

    def test_a_damaged_dicomdir_says_so(self):
        self.instance('IM1')
        whole = dicomdir(record('IM1'), record('IM2'))
        (self.source / 'DICOMDIR').write_bytes(whole[:-20])
        result = self.send_here('DICOMDIR')
        self.assert_stored(result, code=1)
        self.assertIn('DICOMDIR ... failed: the file ends inside an element', result.err)
        self.instance('IM2')
        (self.source / 'DICOMDIR').write_bytes(whole + b'\xff' * 12)
        result = self.send_here('DICOMDIR')
        self.assert_stored(result, 'IM1', 'IM2', code=2)
        self.assertIn('DICOMDIR ... failed: bytes after the last element', result.err)

    # ---- folders ----

    def test_a_folder_of_folders(self):
        self.instance('sub/a.dcm')
        result = self.send_here('.')
        self.assertEqual(result.code, 1, result)
        self.assertIn('--recursive (-r)', result.err)
        self.assert_stored(self.send_here('.', '-r'), './sub/a.dcm')
        self.instance('other/b.dcm')
        result = self.send_here('.', 'other')
        self.assert_stored(result, 'other/b.dcm', code=2)
        self.assertIn('--recursive (-r)', result.err, 'also when something else was sent')
        self.instance('c.dcm')
        result = self.send_here('.')
        self.assert_stored(result, './c.dcm')


if __name__ == '__main__':
    unittest.main()
