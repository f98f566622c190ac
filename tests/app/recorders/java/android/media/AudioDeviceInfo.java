package android.media;

import phone.Phone;

public final class AudioDeviceInfo {
    public int getId() {
        Phone.since(23);
        return Phone.route.length();
    }

    public CharSequence getProductName() {
        Phone.since(23);
        return Phone.route;
    }
}
